#include "hook-policy.h"

static const char *const acts[BH_HOOK_ACTS] = {
    "file.write",      "file.delete", "file.rename", "file.chmod",     "process.exec",    "process.signal", "process.inspect",
    "net.connect",     "net.bind",    "registry.write", "registry.delete", "service.control", "system.change",
};
static const char *const actions[BH_HOOK_ACTIONS] = {"allow", "deny", "emulate", "redirect", "ask", "kill"};

static int same(const char *a, const char *b) {
  while (*a != '\0' && *a == *b) {
    a++;
    b++;
  }
  return *a == *b;
}

static int find(const char *const *names, int count, const char *name) {
  for (int i = 0; i < count; i++) {
    if (same(names[i], name)) return i;
  }
  return -1;
}

int bh_hook_act_from_name(const char *name) { return find(acts, BH_HOOK_ACTS, name); }
int bh_hook_action_from_name(const char *name) { return find(actions, BH_HOOK_ACTIONS, name); }
const char *bh_hook_act_name(unsigned act) { return act < BH_HOOK_ACTS ? acts[act] : NULL; }
const char *bh_hook_action_name(unsigned action) { return action < BH_HOOK_ACTIONS ? actions[action] : NULL; }

uint64_t bh_hook_digest(const uint8_t *bytes, size_t length) {
  uint64_t sum = 0xcbf29ce484222325u;
  for (size_t i = 0; i < length; i++) sum = (sum ^ bytes[i]) * 0x100000001b3u;
  return sum;
}

struct reader {
  const uint8_t *at;
  size_t left;
  bool failed;
};

static const uint8_t *take(struct reader *r, size_t length) {
  if (r->failed || r->left < length) {
    r->failed = true;
    return NULL;
  }
  const uint8_t *at = r->at;
  r->at += length;
  r->left -= length;
  return at;
}

static uint32_t u32(struct reader *r) {
  const uint8_t *at = take(r, 4);
  return at == NULL ? 0 : (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint64_t u64(struct reader *r) {
  const uint64_t low = u32(r);
  return low | (uint64_t)u32(r) << 32;
}

/* Every field is a multiple of four bytes (texts are padded), so texts are aligned whenever the whole is. */
static struct bh_text16 text(struct reader *r) {
  const uint32_t length = u32(r);
  if (length > BH_HOOK_TEXT_MAX) r->failed = true;
  const uint8_t *at = take(r, r->failed ? 0 : ((size_t)length * 2 + 3) / 4 * 4);
  if (at == NULL) return (struct bh_text16){NULL, 0};
  const uint16_t *units = (const uint16_t *)(const void *)at;
  for (uint32_t i = 0; i < length; i++) {
    if (units[i] == 0) r->failed = true;
  }
  return (struct bh_text16){units, length};
}

static bool read_head(struct reader *r, const uint8_t *bytes, size_t length, uint64_t *digest) {
  if (length < BH_HOOK_POLICY_HEAD || length > BH_HOOK_POLICY_MAX || ((uintptr_t)bytes & 3) != 0) return false;
  if (u32(r) != BH_HOOK_POLICY_MAGIC || u32(r) != BH_HOOK_POLICY_VERSION || u32(r) != length || u32(r) != 0) return false;
  *digest = u64(r);
  return *digest == bh_hook_digest(r->at, r->left);
}

static bool read_rule(struct reader *r, struct bh_hook_rule *rule) {
  rule->id = u32(r);
  const uint32_t act = u32(r);
  const uint32_t action = u32(r);
  rule->match = text(r);
  rule->target = text(r);
  if (r->failed || act >= BH_HOOK_ACTS || action >= BH_HOOK_ACTIONS || rule->match.length == 0) return false;
  rule->act = (uint8_t)act;
  rule->action = (uint8_t)action;
  return (action == BH_HOOK_REDIRECT) == (rule->target.length > 0);
}

int bh_hook_policy_read(const uint8_t *bytes, size_t length, struct bh_hook_rule *rules, size_t most, struct bh_hook_policy *policy) {
  struct reader r = {bytes, length, false};
  if (!read_head(&r, bytes, length, &policy->digest)) return -1;
  const uint32_t flags = u32(&r);
  policy->held = (flags & 1) != 0;
  policy->report_wow64 = (flags & 2) != 0;
  policy->ask_timeout = u32(&r);
  policy->supervisor = u32(&r);
  policy->pipe = text(&r);
  policy->dll = text(&r);
  policy->count = u32(&r);
  policy->acts = 0;
  policy->rules = rules;
  if (r.failed || flags > 3 || policy->pipe.length == 0 || policy->dll.length == 0 || policy->count > most) return -1;
  for (uint32_t i = 0; i < policy->count; i++) {
    if (!read_rule(&r, &rules[i])) return -1;
    policy->acts |= 1u << rules[i].act;
  }
  return r.failed || r.left != 0 ? -1 : 0;
}
