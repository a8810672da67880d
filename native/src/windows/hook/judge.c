#include "judge.h"

#include "../text16.h"
#include "glob.h"
#include "report.h"

#define KILL_PATIENCE 3000 /* milliseconds */

static const struct bh_hook_policy *policy;

static volatile uint32_t *proofs;

void bh_judge_start(const struct bh_hook_policy *given, volatile uint32_t *counter) {
  policy = given;
  proofs = counter;
}

bool bh_is_held(void) { return policy->held; }
void bh_proven(void) { ++*proofs; }

bool bh_watched(unsigned act) { return (policy->acts & 1u << act) != 0; }

static struct bh_text16 fold(struct bh_text16 text, uint16_t *into) {
  for (uint32_t i = 0; i < text.length; i++) into[i] = text.units[i] == '/' ? '\\' : bh_fold(text.units[i]);
  return (struct bh_text16){into, text.length};
}

static bool same(struct bh_text16 a, struct bh_text16 b) {
  return a.length == b.length && memcmp(a.units, b.units, a.length * sizeof(uint16_t)) == 0;
}

/* The proofs' names (hook-proof.h) as they come out canonical and folded. */
static bool is_proof(struct bh_text16 folded) {
  static const wchar_t *const names[] = {L"C:\\BULKHEAD.PROOF\\OF.THE.HOOK", L"HKLM\\SOFTWARE\\BULKHEAD.PROOF\\OF.THE.HOOK",
                                         L"240.0.0.1:9", L"BULKHEAD.PROOF", L"PID:0"};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    if (same(folded, bh_text16_of(names[i]))) return true;
  }
  return false;
}

_Noreturn void bh_end(uint32_t code) {
  for (;;) TerminateProcess(GetCurrentProcess(), code);
}

static struct bh_said settle(struct bh_room *room, const struct bh_hook_rule *rule, struct bh_text16 object) {
  switch (rule->action) {
    case BH_HOOK_ASK: {
      const bool allowed = bh_report_ask(room, rule->id, rule->act, object);
      bh_report(room, rule->id, rule->act, allowed ? BH_HOOK_ALLOW : BH_HOOK_DENY, object);
      return (struct bh_said){.say = allowed ? BH_PASS : BH_DENY};
    }
    case BH_HOOK_KILL:
      bh_report(room, rule->id, rule->act, BH_HOOK_KILL, object);
      bh_report_flush(1000);
      /* The supervisor ends the job, and this process with it. Ending first would let its parent go on for a moment. */
      Sleep(KILL_PATIENCE);
      bh_end(BH_HOOK_EXIT_KILLED);
    default: break;
  }
  bh_report(room, rule->id, rule->act, rule->action, object);
  switch (rule->action) {
    case BH_HOOK_ALLOW: return (struct bh_said){.say = BH_PASS};
    case BH_HOOK_EMULATE: return (struct bh_said){.say = BH_EMULATE};
    case BH_HOOK_REDIRECT: return (struct bh_said){.say = BH_REDIRECT, .target = rule->target};
    default: return (struct bh_said){.say = BH_DENY};
  }
}

static struct bh_said judge(struct bh_room *room, unsigned act, const struct bh_object *object, bool beginning) {
  if (!bh_watched(act)) return (struct bh_said){.say = BH_PASS};
  const struct bh_text16 named = fold(object->named, room->folded);
  if (policy->held) {
    const bool proof = is_proof(named);
    if (proof) bh_proven();
    return (struct bh_said){.say = proof ? BH_DENY : BH_PASS};
  }
  const struct bh_text16 real = object->real.units == object->named.units ? named : fold(object->real, room->raw);
  for (uint32_t i = 0; i < policy->count; i++) {
    const struct bh_hook_rule *rule = &policy->rules[i];
    if (rule->act != act) continue;
    const bool exact = bh_glob16(rule->match, real);
    if (!exact && ((rule->action == BH_HOOK_ALLOW && !object->either) || !bh_glob16(rule->match, named))) continue;
    if (beginning && rule->action != BH_HOOK_DENY) break;
    /* A shell looks for a program in every directory of PATH: what is not there is no news. */
    if (rule->action == BH_HOOK_ALLOW && act == BH_HOOK_PROCESS_EXEC && object->missing) break;
    return settle(room, rule, exact ? object->real : object->named);
  }
  return (struct bh_said){.say = BH_PASS};
}

struct bh_said bh_judge(struct bh_room *room, unsigned act, const struct bh_object *object) { return judge(room, act, object, false); }

struct bh_said bh_judge_beginning(struct bh_room *room, unsigned act, const struct bh_object *object) {
  return judge(room, act, object, true);
}

struct bh_said bh_judge_unreadable(unsigned act) {
  for (uint32_t i = 0; i < policy->count && !policy->held; i++) {
    if (policy->rules[i].act == act && policy->rules[i].action != BH_HOOK_ALLOW) return (struct bh_said){.say = BH_DENY};
  }
  return (struct bh_said){.say = BH_PASS};
}

void bh_judge_report(struct bh_room *room, unsigned act, unsigned action, struct bh_text16 object) {
  bh_report(room, BH_HOOK_NO_RULE, act, action, object);
}

struct bh_said bh_ask_rules(struct bh_room *room, unsigned act, enum bh_found found, const struct bh_object *object) {
  if (found == BH_OTHER) return (struct bh_said){.say = BH_PASS};
  return found == BH_FOUND ? bh_judge(room, act, object) : bh_judge_unreadable(act);
}

NTSTATUS bh_status_of(enum bh_say say) {
  return say == BH_EMULATE || say == BH_PASS ? BH_SUCCESS : BH_ACCESS_DENIED;
}
