/* As decode-runner.c, for the decoder of the Windows launcher. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bulkhead.h"
#include "spec.h"
#include "wire.h"

static void texts(struct bh_writer *w, char *const *list) {
  uint32_t count = 0;
  while (list[count]) count++;
  bh_write_u32(w, count);
  for (uint32_t i = 0; i < count; i++) bh_write_text(w, list[i]);
}

static void limit(struct bh_writer *w, bool limited, uint64_t value) {
  bh_write_u8(w, limited);
  if (!limited) return;
  bh_write_u32(w, (uint32_t)value);
  bh_write_u32(w, (uint32_t)(value >> 32));
}

static void token(struct bh_writer *w, const struct bh_spec *s) {
  bh_write_u8(w, s->tier);
  bh_write_u8(w, s->integrity);
  bh_write_text(w, s->launch_sid);
  texts(w, s->restricting);
  bh_write_u8(w, s->private_desktop);
  limit(w, s->limits_memory, s->memory);
  limit(w, s->limits_cpu, s->cpu);
  bh_write_u8(w, s->has_account);
  if (!s->has_account) return;
  bh_write_text(w, s->account_name);
  bh_write_text(w, s->account_sid);
  bh_write_text(w, s->account_secret);
}

static void hook(struct bh_writer *w, const struct bh_spec *s) {
  bh_write_u8(w, s->wow64);
  bh_write_u32(w, s->ask_timeout);
  bh_write_u32(w, (uint32_t)s->rule_count);
  for (size_t i = 0; i < s->rule_count; i++) {
    bh_write_u32(w, s->rules[i].id);
    bh_write_text(w, s->rules[i].on);
    bh_write_text(w, s->rules[i].action);
    bh_write_text(w, s->rules[i].match);
    bh_write_text(w, s->rules[i].target);
  }
}

static void encode(struct bh_writer *w, const struct bh_spec *s) {
  bh_write_u8(w, (uint8_t)s->stdio);
  bh_write_u32(w, s->columns);
  bh_write_u32(w, s->rows);
  texts(w, s->argv);
  bh_write_text(w, s->directory);
  texts(w, s->environment);
  bh_write_u8(w, s->has_token);
  if (s->has_token) token(w, s);
  bh_write_u8(w, s->has_filesystem);
  if (s->has_filesystem) bh_write_text(w, s->workspace_sid);
  bh_write_u8(w, s->has_network);
  if (s->has_network) bh_write_u32(w, s->gateway_port);
  bh_write_u8(w, s->has_hook);
  if (s->has_hook) hook(w, s);
  limit(w, s->limits_processes, s->processes);
  limit(w, s->limits_files, s->files);
}

int main(void) {
  uint32_t length;
  while (fread(&length, sizeof(length), 1, stdin) == 1) {
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
