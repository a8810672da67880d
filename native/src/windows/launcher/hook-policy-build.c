#include "hook-policy-build.h"

#include <stdlib.h>
#include <string.h>

#include "../text16.h"

struct growing {
  uint8_t *bytes;
  size_t length, capacity;
  bool failed;
};

static uint8_t *grow(struct growing *g, size_t more) {
  if (g->failed || more > BH_HOOK_POLICY_MAX - g->length) {
    g->failed = true;
    return NULL;
  }
  if (g->length + more > g->capacity) {
    const size_t capacity = (g->length + more) * 2;
    uint8_t *bytes = realloc(g->bytes, capacity);
    if (!bytes) {
      g->failed = true;
      return NULL;
    }
    g->bytes = bytes;
    g->capacity = capacity;
  }
  uint8_t *at = g->bytes + g->length;
  g->length += more;
  return at;
}

static void put(uint8_t *at, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) at[i] = (uint8_t)(value >> (8 * i));
}

static void u32(struct growing *g, uint32_t value) {
  uint8_t *at = grow(g, 4);
  if (at) put(at, value, 4);
}

static void units(struct growing *g, const uint16_t *text, size_t length) {
  if (length > BH_HOOK_TEXT_MAX) g->failed = true;
  u32(g, (uint32_t)length);
  const size_t padded = (length * 2 + 3) / 4 * 4;
  uint8_t *at = grow(g, padded);
  if (!at) return;
  memset(at, 0, padded);
  memcpy(at, text, length * 2);
}

static void ended(struct growing *g, const uint16_t *text) {
  size_t length = 0;
  while (text[length] != 0) length++;
  units(g, text, length);
}

/* `fold`: a pattern, which is compared with folded names whose separator is `\`. */
static void utf8(struct growing *g, const char *text, bool fold) {
  const size_t bytes = strlen(text);
  uint16_t *made = malloc((bytes + 1) * sizeof(uint16_t));
  const long length = made ? bh_utf16_from_utf8(text, bytes, made, bytes) : -1;
  if (length < 0) {
    g->failed = true;
  } else {
    for (long i = 0; fold && i < length; i++) made[i] = made[i] == '/' ? '\\' : bh_fold(made[i]);
    units(g, made, (size_t)length);
  }
  free(made);
}

static void add_rule(struct growing *g, const struct bh_hook_rule_text *rule) {
  const int act = bh_hook_act_from_name(rule->on);
  const int action = bh_hook_action_from_name(rule->action);
  if (act < 0 || action < 0 || rule->match[0] == '\0' || (action == BH_HOOK_REDIRECT) != (rule->target[0] != '\0')) g->failed = true;
  u32(g, rule->id);
  u32(g, (uint32_t)act);
  u32(g, (uint32_t)action);
  utf8(g, rule->match, true);
  utf8(g, rule->target, false);
}

int bh_hook_policy_build(const struct bh_hook_rule_text *rules, size_t count, const struct bh_hook_options *options, uint8_t **bytes,
                         size_t *length, size_t *rule) {
  struct growing g = {0};
  *rule = count;
  uint8_t *head = grow(&g, BH_HOOK_POLICY_HEAD);
  if (head) memset(head, 0, BH_HOOK_POLICY_HEAD);
  u32(&g, (options->held ? 1u : 0u) | (options->report_wow64 ? 2u : 0u));
  u32(&g, options->ask_timeout);
  u32(&g, options->supervisor);
  ended(&g, options->pipe);
  ended(&g, options->dll);
  u32(&g, (uint32_t)count);
  if (count > BH_HOOK_RULES_MAX) g.failed = true;
  for (size_t i = 0; i < count && !g.failed; i++) {
    add_rule(&g, &rules[i]);
    if (g.failed) *rule = i;
  }
  if (g.failed) {
    free(g.bytes);
    return -1;
  }
  put(g.bytes, BH_HOOK_POLICY_MAGIC, 4);
  put(g.bytes + 4, BH_HOOK_POLICY_VERSION, 4);
  put(g.bytes + 8, g.length, 4);
  put(g.bytes + 16, bh_hook_digest(g.bytes + BH_HOOK_POLICY_HEAD, g.length - BH_HOOK_POLICY_HEAD), 8);
  *bytes = g.bytes;
  *length = g.length;
  return 0;
}
