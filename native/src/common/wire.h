/* Bounds-checked reading and writing of the frames of bulkhead.h. A reader that ran over its end stays failed. */
#ifndef BULKHEAD_WIRE_H
#define BULKHEAD_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bh_reader {
  const uint8_t *at;
  size_t left;
  bool failed;
};

uint8_t bh_read_u8(struct bh_reader *r);
uint32_t bh_read_u32(struct bh_reader *r);
uint64_t bh_read_u64(struct bh_reader *r);
/* Newly allocated and NUL-terminated; NULL (and failed) when it is cut short or contains a NUL byte. */
char *bh_read_text(struct bh_reader *r);
/* Count of a list whose members take at least `smallest` bytes each; fails when that many cannot follow. */
uint32_t bh_read_count(struct bh_reader *r, size_t smallest);

struct bh_writer {
  uint8_t *bytes;
  size_t length, capacity;
  bool failed;
};

/* Begins a frame: leaves room for its length. */
void bh_begin(struct bh_writer *w, uint8_t type);
void bh_write_u8(struct bh_writer *w, uint8_t value);
void bh_write_u32(struct bh_writer *w, uint32_t value);
void bh_write_text(struct bh_writer *w, const char *text);
void bh_write_bytes(struct bh_writer *w, const void *bytes, size_t length);
/* Fills in the length of a frame that is complete; false when memory ran out on the way. */
bool bh_finish(struct bh_writer *w);
/* Frees it; the writer can begin again. */
void bh_discard(struct bh_writer *w);

#endif
