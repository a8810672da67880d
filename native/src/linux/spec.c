#include "spec.h"

#include <stdlib.h>
#include <string.h>

/* Mirrors native/codec.ts field by field. */

static bool read_bool(struct bh_reader *r) {
  const uint8_t value = bh_read_u8(r);
  if (value > 1) r->failed = true;
  return value == 1;
}

/* Absolute, without empty, `.` or `..` components: mounting never leaves the new root by spelling. */
static char *read_path(struct bh_reader *r) {
  char *path = bh_read_text(r);
  if (!path) return NULL;
  bool good = path[0] == '/';
  for (const char *at = path; good && *at == '/';) {
    const char *component = at + 1;
    at = strchrnul(component, '/');
    const size_t length = (size_t)(at - component);
    if (length == 0) good = component == path + 1 && *at == 0; /* only the root itself */
    if (length == 1 && component[0] == '.') good = false;
    if (length == 2 && component[0] == '.' && component[1] == '.') good = false;
  }
  if (!good) r->failed = true;
  return path;
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

static void read_token(struct bh_spec *spec, struct bh_reader *r) {
  spec->inside_uid = bh_read_u32(r);
  spec->inside_gid = bh_read_u32(r);
  spec->has_outside = read_bool(r);
  if (spec->has_outside) {
    spec->outside_uid = bh_read_u32(r);
    spec->outside_gid = bh_read_u32(r);
    /* Host root as an agent could write /proc/sys/kernel/core_pattern, whatever its capabilities. -1 is no identity. */
    if (spec->outside_uid == 0 || spec->outside_gid == 0) r->failed = true;
    if (spec->outside_uid == UINT32_MAX || spec->outside_gid == UINT32_MAX) r->failed = true;
  }
  spec->hostname = bh_read_text(r);
  if (spec->hostname && strlen(spec->hostname) > 64) r->failed = true;
}

static void read_entry(struct bh_entry *entry, struct bh_reader *r) {
  entry->mount = -1;
  entry->kind = bh_read_u8(r);
  entry->target = read_path(r);
  switch (entry->kind) {
    case BH_BIND:
      entry->text = read_path(r);
      entry->writable = read_bool(r);
      entry->optional = read_bool(r);
      entry->mapped = read_bool(r);
      if (entry->mapped) {
        entry->owner_uid = bh_read_u32(r);
        entry->owner_gid = bh_read_u32(r);
      }
      break;
    case BH_TMPFS:
      entry->size = bh_read_u64(r);
      entry->mode = bh_read_u32(r);
      break;
    case BH_FILE:
      entry->text = bh_read_text(r);
      entry->mode = bh_read_u32(r);
      break;
    case BH_SYMLINK:
      entry->text = bh_read_text(r);
      break;
    case BH_DIRECTORY:
      entry->mode = bh_read_u32(r);
      break;
    case BH_DEV:
      entry->size = bh_read_u64(r);
      break;
    case BH_HIDE:
    case BH_PROC:
      break;
    default:
      r->failed = true;
  }
  if (entry->mode > 01777) r->failed = true;
}

static void read_view(struct bh_spec *spec, struct bh_reader *r) {
  const uint32_t count = bh_read_count(r, 5);
  spec->entries = calloc((size_t)count + 1, sizeof(*spec->entries));
  if (!spec->entries) {
    r->failed = true;
    return;
  }
  for (; spec->entry_count < count && !r->failed; spec->entry_count++) read_entry(&spec->entries[spec->entry_count], r);
  spec->has_landlock = read_bool(r);
  if (spec->has_landlock) {
    spec->landlock_read = read_texts(r, read_path);
    spec->landlock_write = read_texts(r, read_path);
  }
}

static void read_network(struct bh_spec *spec, struct bh_reader *r) {
  spec->any_address = read_bool(r);
  const uint32_t count = bh_read_count(r, 5);
  if (count > BH_LISTENERS_MAX) r->failed = true;
  spec->listeners = calloc((size_t)count + 1, sizeof(*spec->listeners));
  if (!spec->listeners) r->failed = true;
  for (; spec->listener_count < count && !r->failed; spec->listener_count++) {
    const uint8_t protocol = bh_read_u8(r);
    const uint32_t port = bh_read_u32(r);
    if (protocol > 1 || port == 0 || port > 65535) r->failed = true;
    spec->listeners[spec->listener_count] = (struct bh_listener){protocol == 1, (uint16_t)port};
  }
}

static void read_interception(struct bh_spec *spec, struct bh_reader *r) {
  const uint32_t count = bh_read_count(r, 12);
  spec->rules = calloc((size_t)count + 1, sizeof(*spec->rules));
  if (!spec->rules) r->failed = true;
  size_t i = 0;
  for (; i < count && !r->failed; i++) {
    struct bh_intercept_rule *rule = &spec->rules[i];
    rule->id = bh_read_u32(r);
    char *on = bh_read_text(r);
    char *action = bh_read_text(r);
    const int act = on ? bh_act_from_name(on) : -1;
    const int answer = action ? bh_action_from_name(action) : -1;
    free(on);
    free(action);
    rule->match = bh_read_text(r);
    if (act < 0 || answer < 0) r->failed = true;
    rule->act = (uint8_t)act;
    rule->action = (uint8_t)answer;
  }
  spec->interception = (struct bh_interception){spec->rules, i};
}

static bool read_limit(struct bh_reader *r, uint64_t *value) {
  const bool limited = read_bool(r);
  if (limited) *value = bh_read_u64(r);
  return limited;
}

int bh_spec_decode(struct bh_spec *spec, struct bh_reader *r) {
  *spec = (struct bh_spec){0};
  spec->stdio = bh_read_u8(r);
  if (spec->stdio > BH_STDIO_TERMINAL) r->failed = true;
  spec->columns = bh_read_u32(r);
  spec->rows = bh_read_u32(r);
  read_command(spec, r);
  if ((spec->has_token = read_bool(r))) read_token(spec, r);
  if ((spec->has_view = read_bool(r))) read_view(spec, r);
  if ((spec->has_network = read_bool(r))) read_network(spec, r);
  if ((spec->has_interception = read_bool(r))) read_interception(spec, r);
  spec->limits_processes = read_limit(r, &spec->processes);
  spec->limits_files = read_limit(r, &spec->files);
  if (r->left != 0) r->failed = true;
  /* A view or a network without an identity would be root's, or nobody could make it. */
  if (!spec->has_token && (spec->has_view || spec->has_network)) r->failed = true;
  return r->failed ? -1 : 0;
}

static void free_texts(char **texts) {
  for (char **text = texts; text && *text; text++) free(*text);
  free(texts);
}

void bh_spec_free(struct bh_spec *spec) {
  free_texts(spec->argv);
  free_texts(spec->environment);
  free(spec->directory);
  free(spec->hostname);
  for (size_t i = 0; i < spec->entry_count; i++) {
    free(spec->entries[i].target);
    free(spec->entries[i].text);
  }
  free(spec->entries);
  free_texts(spec->landlock_read);
  free_texts(spec->landlock_write);
  free(spec->listeners);
  for (size_t i = 0; i < spec->interception.count; i++) free((char *)(uintptr_t)spec->rules[i].match);
  free(spec->rules);
  *spec = (struct bh_spec){0};
}
