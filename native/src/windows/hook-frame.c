#include "hook-frame.h"

#include "text16.h"

static uint8_t *put(uint8_t *at, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) at[i] = (uint8_t)(value >> (8 * i));
  return at + bytes;
}

static uint8_t *put_text(uint8_t *at, const char *text, size_t most) {
  size_t length = 0;
  while (length < most - 1 && text[length] != '\0') length++;
  /* Never half a character. */
  while (text[length] != '\0' && length > 0 && ((uint8_t)text[length] & 0xc0) == 0x80) length--;
  at = put(at, length, 2);
  for (size_t i = 0; i < length; i++) at[i] = (uint8_t)text[i];
  at[length] = 0;
  return at + length + 1;
}

size_t bh_hook_frame_write(const struct bh_hook_frame *frame, uint8_t *into) {
  uint8_t *at = put(into + 4, frame->type, 1);
  if (frame->type == BH_HOOK_HELLO) {
    at = put(put(at, frame->version, 4), frame->digest, 8);
  } else {
    at = put(put(at, frame->rule, 4), frame->act, 1);
    if (frame->type == BH_HOOK_EVENT) at = put(put(at, frame->action, 1), frame->lost, 4);
    at = put_text(at, frame->program, BH_HOOK_PROGRAM_MAX);
    at = put_text(at, frame->object, BH_HOOK_OBJECT_MAX);
  }
  const size_t length = (size_t)(at - into);
  put(into, length - 4, 4);
  return length;
}

struct reader {
  const uint8_t *at;
  size_t left;
  int failed;
};

static uint64_t take(struct reader *r, size_t bytes) {
  if (r->failed || r->left < bytes) {
    r->failed = 1;
    return 0;
  }
  uint64_t value = 0;
  for (size_t i = 0; i < bytes; i++) value |= (uint64_t)r->at[i] << (8 * i);
  r->at += bytes;
  r->left -= bytes;
  return value;
}

static const char *take_text(struct reader *r, size_t most) {
  const size_t length = (size_t)take(r, 2);
  const char *text = (const char *)r->at;
  if (r->failed || length >= most || r->left < length + 1 || text[length] != '\0' || !bh_utf8_is_text(text, length)) {
    r->failed = 1;
    return "";
  }
  r->at += length + 1;
  r->left -= length + 1;
  return text;
}

long bh_hook_frame_read(const uint8_t *bytes, size_t length, struct bh_hook_frame *frame) {
  struct reader r = {bytes, length, 0};
  if (length < 4) return 0;
  const size_t body = (size_t)take(&r, 4);
  if (body == 0 || body > BH_HOOK_FRAME_MAX - 4) return -1;
  if (r.left < body) return 0;
  r.left = body;
  *frame = (struct bh_hook_frame){.type = (uint8_t)take(&r, 1), .program = "", .object = ""};
  if (frame->type == BH_HOOK_HELLO) {
    frame->version = (uint32_t)take(&r, 4);
    frame->digest = take(&r, 8);
  } else if (frame->type == BH_HOOK_EVENT || frame->type == BH_HOOK_QUESTION) {
    frame->rule = (uint32_t)take(&r, 4);
    frame->act = (uint8_t)take(&r, 1);
    frame->action = frame->type == BH_HOOK_EVENT ? (uint8_t)take(&r, 1) : (uint8_t)BH_HOOK_ASK;
    frame->lost = frame->type == BH_HOOK_EVENT ? (uint32_t)take(&r, 4) : 0;
    frame->program = take_text(&r, BH_HOOK_PROGRAM_MAX);
    frame->object = take_text(&r, BH_HOOK_OBJECT_MAX);
    if (frame->act >= BH_HOOK_ACTS || frame->action >= BH_HOOK_ACTIONS) return -1;
  } else {
    return -1;
  }
  return r.failed || r.left != 0 ? -1 : (long)(4 + body);
}
