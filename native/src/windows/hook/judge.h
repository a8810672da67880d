/* What the rules say about an act. */
#ifndef BULKHEAD_HOOK_JUDGE_H
#define BULKHEAD_HOOK_JUDGE_H

#include "object.h"

enum bh_say {
  BH_PASS, /* let it happen */
  BH_DENY,
  BH_EMULATE, /* say that it happened */
  BH_REDIRECT /* let it happen to `target` */
};

struct bh_said {
  enum bh_say say;
  struct bh_text16 target;
};

/* `policy` stays; `proofs` counts the attempts that were answered while rules sleep. */
void bh_judge_start(const struct bh_hook_policy *policy, volatile uint32_t *proofs);

/* True when some rule watches the act (or its proof may come). */
bool bh_watched(unsigned act);

/*
 * The first rule that matches decides and is reported; `allow` needs the real object, the others take either spelling, so that a link does
 * not help in either direction. Does not come back for `kill`. Uses room->folded, room->raw, room->object.
 */
struct bh_said bh_judge(struct bh_room *room, unsigned act, const struct bh_object *object);

/* The same for an act that is only begun: rules whose action is not `deny` wait for the act itself. */
struct bh_said bh_judge_beginning(struct bh_room *room, unsigned act, const struct bh_object *object);

/* For an object that could not be read: refused where a rule that is not `allow` might have applied. */
struct bh_said bh_judge_unreadable(unsigned act);

/* bh_judge for what was looked for; what is no object of the rules passes. */
struct bh_said bh_ask_rules(struct bh_room *room, unsigned act, enum bh_found found, const struct bh_object *object);

/* The status of an answer that is neither BH_PASS nor BH_REDIRECT. */
NTSTATUS bh_status_of(enum bh_say say);

/* While rules sleep: an attempt was answered. */
void bh_proven(void);
bool bh_is_held(void);

/* Reports what the hook did without a rule of the policy (BH_HOOK_NO_RULE). */
void bh_judge_report(struct bh_room *room, unsigned act, unsigned action, struct bh_text16 object);

/* Ends this process, with everything reported. */
_Noreturn void bh_end(uint32_t code);

#endif
