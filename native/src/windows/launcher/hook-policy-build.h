/* Making the policy of the hook DLL out of the rules of a launch specification. */
#ifndef BULKHEAD_HOOK_POLICY_BUILD_H
#define BULKHEAD_HOOK_POLICY_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../hook-policy.h"

/* As they stand in the BH_LAUNCH frame, UTF-8. */
struct bh_hook_rule_text {
  uint32_t id;
  const char *on, *action, *match;
  const char *target; /* "" when there is none */
};

struct bh_hook_options {
  bool held; /* for the probe process: rules sleep while the walls are attacked (docs/decisions/0006) */
  bool report_wow64;
  uint32_t ask_timeout; /* milliseconds */
  uint32_t supervisor; /* this process's id */
  const uint16_t *pipe; /* bh_events_pipe(); NUL-terminated */
  const uint16_t *dll; /* absolute path of bulkhead-hook.dll; NUL-terminated */
};

/*
 * Returns 0 with *bytes (malloc) and *length, or -1: an unknown act or action, text that is not UTF-8, a text or the whole too long, no
 * memory, a `redirect` without target. *rule is the index of the rule at fault, or `count`.
 */
int bh_hook_policy_build(const struct bh_hook_rule_text *rules, size_t count, const struct bh_hook_options *options, uint8_t **bytes,
                         size_t *length, size_t *rule);

#endif
