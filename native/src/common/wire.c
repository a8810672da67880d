#include "wire.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t *take(struct bh_reader *r, size_t length) {
  if (r->failed || r->left < length) {
    r->failed = true;
    return NULL;
  }
  const uint8_t *at = r->at;
  r->at += length;
  r->left -= length;
  return at;
}

uint8_t bh_read_u8(struct bh_reader *r) {
  const uint8_t *at = take(r, 1);
  return at ? at[0] : 0;
}

uint32_t bh_read_u32(struct bh_reader *r) {
  const uint8_t *at = take(r, 4);
  return at ? (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24 : 0;
}

uint64_t bh_read_u64(struct bh_reader *r) {
  const uint64_t low = bh_read_u32(r);
  return low | (uint64_t)bh_read_u32(r) << 32;
}

char *bh_read_text(struct bh_reader *r) {
  const uint32_t length = bh_read_u32(r);
  const uint8_t *at = take(r, length);
  if (!at || memchr(at, 0, length)) {
    r->failed = true;
    return NULL;
  }
  char *text = malloc((size_t)length + 1);
  if (!text) {
    r->failed = true;
    return NULL;
  }
  memcpy(text, at, length);
  text[length] = 0;
  return text;
}

uint32_t bh_read_count(struct bh_reader *r, size_t smallest) {
  const uint32_t count = bh_read_u32(r);
  if (r->failed || count > r->left / smallest) {
    r->failed = true;
    return 0;
  }
  return count;
}

static uint8_t *grow(struct bh_writer *w, size_t more) {
  if (w->failed) return NULL;
  if (w->length + more > w->capacity) {
    const size_t capacity = (w->length + more) * 2 + 64;
    uint8_t *bytes = realloc(w->bytes, capacity);
    if (!bytes) {
      w->failed = true;
      return NULL;
    }
    w->bytes = bytes;
    w->capacity = capacity;
  }
  uint8_t *at = w->bytes + w->length;
  w->length += more;
  return at;
}

static void put_u32(uint8_t *at, uint32_t value) {
  at[0] = (uint8_t)value;
  at[1] = (uint8_t)(value >> 8);
  at[2] = (uint8_t)(value >> 16);
  at[3] = (uint8_t)(value >> 24);
}

void bh_begin(struct bh_writer *w, uint8_t type) {
  *w = (struct bh_writer){0};
  bh_write_u32(w, 0);
  bh_write_u8(w, type);
}

void bh_write_u8(struct bh_writer *w, uint8_t value) {
  uint8_t *at = grow(w, 1);
  if (at) *at = value;
}

void bh_write_u32(struct bh_writer *w, uint32_t value) {
  uint8_t *at = grow(w, 4);
  if (at) put_u32(at, value);
}

void bh_write_bytes(struct bh_writer *w, const void *bytes, size_t length) {
  uint8_t *at = grow(w, length);
  if (at) memcpy(at, bytes, length);
}

void bh_write_text(struct bh_writer *w, const char *text) {
  const size_t length = strlen(text);
  bh_write_u32(w, (uint32_t)length);
  bh_write_bytes(w, text, length);
}

bool bh_finish(struct bh_writer *w) {
  if (w->failed) return false;
  put_u32(w->bytes, (uint32_t)(w->length - 4));
  return true;
}

void bh_discard(struct bh_writer *w) {
  free(w->bytes);
  *w = (struct bh_writer){0};
}
