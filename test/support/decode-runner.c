/*
 * The decoder of launch specifications against bytes from anywhere.
 *
 * stdin: any number of u32 length | body of a BH_LAUNCH frame. stdout for each: u8 1 | u32 length | the same specification encoded again
 * from what was decoded, or u8 0 when it was refused.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bulkhead.h"
#include "spec.h"
#include "wire.h"

static void u64(struct bh_writer *w, uint64_t value) {
  bh_write_u32(w, (uint32_t)value);
  bh_write_u32(w, (uint32_t)(value >> 32));
}

static void texts(struct bh_writer *w, char *const *list) {
  uint32_t count = 0;
  while (list[count]) count++;
  bh_write_u32(w, count);
  for (uint32_t i = 0; i < count; i++) bh_write_text(w, list[i]);
}

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
      u64(w, e->size);
      bh_write_u32(w, e->mode);
      break;
    case BH_FILE:
      bh_write_text(w, e->text);
      bh_write_u32(w, e->mode);
      break;
    case BH_SYMLINK: bh_write_text(w, e->text); break;
    case BH_DIRECTORY: bh_write_u32(w, e->mode); break;
    case BH_DEV: u64(w, e->size); break;
    default: break;
  }
}

static void encode(struct bh_writer *w, const struct bh_spec *s) {
  bh_write_u8(w, s->stdio);
  bh_write_u32(w, s->columns);
  bh_write_u32(w, s->rows);
  texts(w, s->argv);
  bh_write_text(w, s->directory);
  texts(w, s->environment);
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
      texts(w, s->landlock_read);
      texts(w, s->landlock_write);
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
  bh_write_u8(w, s->limits_processes);
  if (s->limits_processes) u64(w, s->processes);
  bh_write_u8(w, s->limits_files);
  if (s->limits_files) u64(w, s->files);
}

int main(void) {
  uint32_t length;
  while (fread(&length, sizeof(length), 1, stdin) == 1) {
    /* Exactly as long as the input, so that reading one byte too many is seen. */
    uint8_t *bytes = malloc(length);
    if ((length > 0 && !bytes) || fread(bytes, 1, length, stdin) != length) return 1;
    struct bh_reader r = {bytes, length, false};
    struct bh_spec spec;
    if (bh_spec_decode(&spec, &r) == 0) {
      struct bh_writer w = {0};
      encode(&w, &spec);
      const uint32_t again = (uint32_t)w.length;
      putchar(1);
      fwrite(&again, sizeof(again), 1, stdout);
      fwrite(w.bytes, 1, w.length, stdout);
      free(w.bytes);
    } else {
      putchar(0);
    }
    bh_spec_free(&spec);
    free(bytes);
  }
  return 0;
}
