/* Encodes what the Windows launcher decoded. */
#include "decode-main.h"

static void token(struct bh_writer *w, const struct bh_spec *s) {
  bh_write_u8(w, s->tier);
  bh_write_u8(w, s->integrity);
  bh_write_text(w, s->launch_sid);
  write_texts(w, s->restricting);
  bh_write_u8(w, s->private_desktop);
  write_limit(w, s->limits_memory, s->memory);
  write_limit(w, s->limits_cpu, s->cpu);
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

void encode(struct bh_writer *w, const struct bh_spec *s) {
  bh_write_u8(w, (uint8_t)s->stdio);
  bh_write_u32(w, s->columns);
  bh_write_u32(w, s->rows);
  write_texts(w, s->argv);
  bh_write_text(w, s->directory);
  write_texts(w, s->environment);
  bh_write_u8(w, s->has_token);
  if (s->has_token) token(w, s);
  bh_write_u8(w, s->has_filesystem);
  if (s->has_filesystem) bh_write_text(w, s->workspace_sid);
  bh_write_u8(w, s->has_network);
  if (s->has_network) bh_write_u32(w, s->gateway_port);
  bh_write_u8(w, s->has_hook);
  if (s->has_hook) hook(w, s);
  write_limit(w, s->limits_processes, s->processes);
  write_limit(w, s->limits_files, s->files);
}
