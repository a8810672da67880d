/* Encodes what the Linux helper decoded. */
#include "decode-main.h"

static void entry(struct bh_writer *w, const struct bh_entry *e) {
  bh_write_u8(w, e->kind);
  bh_write_text(w, e->target);
  switch (e->kind) {
    case BH_BIND:
      bh_write_text(w, e->text);
      bh_write_u8(w, e->writable);
      bh_write_u8(w, e->optional);
      bh_write_u8(w, e->mapped);
      if (e->mapped) {
        bh_write_u32(w, e->owner_uid);
        bh_write_u32(w, e->owner_gid);
      }
      break;
    case BH_TMPFS:
      write_u64(w, e->size);
      bh_write_u32(w, e->mode);
      break;
    case BH_FILE:
      bh_write_text(w, e->text);
      bh_write_u32(w, e->mode);
      break;
    case BH_SYMLINK: bh_write_text(w, e->text); break;
    case BH_DIRECTORY: bh_write_u32(w, e->mode); break;
    case BH_DEV: write_u64(w, e->size); break;
    default: break;
  }
}

void encode(struct bh_writer *w, const struct bh_spec *s) {
  bh_write_u8(w, s->stdio);
  bh_write_u32(w, s->columns);
  bh_write_u32(w, s->rows);
  write_texts(w, s->argv);
  bh_write_text(w, s->directory);
  write_texts(w, s->environment);
  bh_write_u8(w, s->has_token);
  if (s->has_token) {
    bh_write_u32(w, s->inside_uid);
    bh_write_u32(w, s->inside_gid);
    bh_write_u8(w, s->has_outside);
    if (s->has_outside) {
      bh_write_u32(w, s->outside_uid);
      bh_write_u32(w, s->outside_gid);
    }
    bh_write_text(w, s->hostname);
  }
  bh_write_u8(w, s->has_view);
  if (s->has_view) {
    bh_write_u32(w, (uint32_t)s->entry_count);
    for (size_t i = 0; i < s->entry_count; i++) entry(w, &s->entries[i]);
    bh_write_u8(w, s->has_landlock);
    if (s->has_landlock) {
      write_texts(w, s->landlock_read);
      write_texts(w, s->landlock_write);
    }
  }
  bh_write_u8(w, s->has_network);
  if (s->has_network) {
    bh_write_u8(w, s->any_address);
    bh_write_u32(w, (uint32_t)s->listener_count);
    for (size_t i = 0; i < s->listener_count; i++) {
      bh_write_u8(w, s->listeners[i].udp);
      bh_write_u32(w, s->listeners[i].port);
    }
  }
  bh_write_u8(w, s->has_interception);
  if (s->has_interception) {
    bh_write_u32(w, (uint32_t)s->interception.count);
    for (size_t i = 0; i < s->interception.count; i++) {
      const struct bh_intercept_rule *rule = &s->interception.rules[i];
      bh_write_u32(w, rule->id);
      bh_write_text(w, bh_act_name(rule->act));
      bh_write_text(w, bh_action_name(rule->action));
      bh_write_text(w, rule->match);
    }
  }
  write_limit(w, s->limits_processes, s->processes);
  write_limit(w, s->limits_files, s->files);
}
