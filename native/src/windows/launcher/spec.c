#include "spec.h"

#include <stdlib.h>
#include <string.h>

/* Mirrors native/windows/codec.ts field by field. */

/* The longest path of the system, in bytes of UTF-8. */
#define PATH_BYTES_MAX (32767u * 3)

static bool read_bool(struct bh_reader *r) {
  const uint8_t value = bh_read_u8(r);
  if (value > 1) r->failed = true;
  return value == 1;
}

/* One of two: 0 or 1. */
static uint8_t read_choice(struct bh_reader *r) {
  return read_bool(r) ? 1 : 0;
}

/* With a drive: never relative to where the launcher happens to be, never a device or another machine. */
static char *read_path(struct bh_reader *r) {
  char *path = bh_read_text(r);
  if (!path) return NULL;
  const char drive = (char)(path[0] | 0x20);
  const bool good = drive >= 'a' && drive <= 'z' && path[1] == ':' && (path[2] == '\\' || path[2] == '/');
  if (!good || strlen(path) > PATH_BYTES_MAX) r->failed = true;
  return path;
}

/* A decimal number without leading zeros that ends at `-` or at the end; NULL otherwise. */
static const char *number_end(const char *at, uint64_t most) {
  uint64_t value = 0;
  const char *start = at;
  for (; *at >= '0' && *at <= '9'; at++) {
    value = value * 10 + (uint64_t)(*at - '0');
    if (value > most || (at > start && *start == '0')) return NULL;
  }
  return at > start && (*at == 0 || *at == '-') ? at : NULL;
}

bool bh_sid_is_canonical(const char *text) {
  if (strncmp(text, "S-1-", 4) != 0) return false;
  const char *at = number_end(text + 4, ((uint64_t)1 << 48) - 1);
  unsigned parts = 0;
  while (at && *at == '-') {
    at = number_end(at + 1, UINT32_MAX);
    parts++;
  }
  return at && parts >= 1 && parts <= 15;
}

static char *read_sid(struct bh_reader *r) {
  char *sid = bh_read_text(r);
  if (sid && !bh_sid_is_canonical(sid)) r->failed = true;
  return sid;
}

/* Or the word for the logon session's. */
static char *read_restricting(struct bh_reader *r) {
  char *sid = bh_read_text(r);
  if (sid && strcmp(sid, BH_LOGON_SID) != 0 && !bh_sid_is_canonical(sid)) r->failed = true;
  return sid;
}

static char **read_texts(struct bh_reader *r, char *(*read)(struct bh_reader *)) {
  const uint32_t count = bh_read_count(r, 4);
  char **texts = calloc((size_t)count + 1, sizeof(char *));
  if (!texts) {
    r->failed = true;
    return NULL;
  }
  for (uint32_t i = 0; i < count && !r->failed; i++) texts[i] = read(r);
  return texts;
}

static void read_command(struct bh_spec *spec, struct bh_reader *r) {
  spec->argv = read_texts(r, bh_read_text);
  spec->directory = read_path(r);
  spec->environment = read_texts(r, bh_read_text);
  if (!spec->argv || !spec->argv[0] || !spec->argv[0][0]) r->failed = true;
  for (char **e = spec->environment; e && *e; e++) {
    const char *equals = strchr(*e, '=');
    if (!equals || equals == *e) r->failed = true;
  }
}

static bool read_limit(struct bh_reader *r, uint64_t *value) {
  const bool limited = read_bool(r);
  if (limited) *value = bh_read_u64(r);
  return limited;
}

static void read_token(struct bh_spec *spec, struct bh_reader *r) {
  spec->tier = read_choice(r);
  spec->integrity = read_choice(r);
  spec->launch_sid = read_sid(r);
  spec->restricting = read_texts(r, read_restricting);
  size_t count = 0;
  while (spec->restricting && spec->restricting[count]) count++;
  if (count > BH_RESTRICTING_MAX) r->failed = true;
  spec->private_desktop = read_bool(r);
  spec->limits_memory = read_limit(r, &spec->memory);
  spec->limits_cpu = read_limit(r, &spec->cpu);
  if (spec->limits_memory && spec->memory == 0) r->failed = true;
  if (spec->limits_cpu && (spec->cpu == 0 || spec->cpu > 100)) r->failed = true;
  spec->has_account = read_bool(r);
  if (!spec->has_account) return;
  spec->account_name = bh_read_text(r);
  spec->account_sid = read_sid(r);
  spec->account_secret = read_path(r);
  if (spec->account_name && !spec->account_name[0]) r->failed = true;
}

static void read_hook(struct bh_spec *spec, struct bh_reader *r) {
  spec->wow64 = read_choice(r);
  spec->ask_timeout = bh_read_u32(r);
  const uint32_t count = bh_read_count(r, 20);
  if (count > BH_HOOK_RULES_MAX) r->failed = true;
  spec->rules = calloc((size_t)count + 1, sizeof(*spec->rules));
  if (!spec->rules) r->failed = true;
  for (; spec->rule_count < count && !r->failed; spec->rule_count++) {
    struct bh_hook_rule_text *rule = &spec->rules[spec->rule_count];
    rule->id = bh_read_u32(r);
    rule->on = bh_read_text(r);
    rule->action = bh_read_text(r);
    rule->match = bh_read_text(r);
    rule->target = bh_read_text(r);
  }
}

/* Parts that mean nothing, or less than they say, without another. */
static bool is_whole(const struct bh_spec *spec) {
  if (spec->has_filesystem && !spec->has_token) return false; /* an access list for a SID that nobody has */
  if (spec->has_network && !spec->has_account) return false; /* filters match an account */
  /* The launch's SID guards processes from other launches in the same workspace. */
  return !spec->has_filesystem || strcmp(spec->workspace_sid, spec->launch_sid) != 0;
}

int bh_spec_decode(struct bh_spec *spec, struct bh_reader *r) {
  *spec = (struct bh_spec){0};
  spec->stdio = bh_read_u8(r);
  if (spec->stdio > BH_STDIO_TERMINAL) r->failed = true;
  spec->columns = bh_read_u32(r);
  spec->rows = bh_read_u32(r);
  read_command(spec, r);
  if ((spec->has_token = read_bool(r))) read_token(spec, r);
  if ((spec->has_filesystem = read_bool(r))) spec->workspace_sid = read_sid(r);
  if ((spec->has_network = read_bool(r))) spec->gateway_port = bh_read_u32(r);
  if (spec->has_network && (spec->gateway_port == 0 || spec->gateway_port > 65535)) r->failed = true;
  if ((spec->has_hook = read_bool(r))) read_hook(spec, r);
  spec->limits_processes = read_limit(r, &spec->processes);
  spec->limits_files = read_limit(r, &spec->files);
  if (r->left != 0) r->failed = true;
  if (!r->failed && !is_whole(spec)) r->failed = true;
  return r->failed ? -1 : 0;
}

static void free_texts(char **texts) {
  for (char **text = texts; text && *text; text++) free(*text);
  free(texts);
}

static void free_const(const char *text) {
  free((char *)(uintptr_t)text);
}

void bh_spec_free(struct bh_spec *spec) {
  free_texts(spec->argv);
  free_texts(spec->environment);
  free(spec->directory);
  free(spec->launch_sid);
  free_texts(spec->restricting);
  free(spec->account_name);
  free(spec->account_sid);
  free(spec->account_secret);
  free(spec->workspace_sid);
  for (size_t i = 0; spec->rules && i < spec->rule_count; i++) {
    free_const(spec->rules[i].on);
    free_const(spec->rules[i].action);
    free_const(spec->rules[i].match);
    free_const(spec->rules[i].target);
  }
  free(spec->rules);
  *spec = (struct bh_spec){0};
}
