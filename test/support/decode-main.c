/*
 * A decoder of launch specifications against bytes from anywhere.
 *
 * stdin: any number of u32 length | body of a BH_LAUNCH frame. stdout for each: u8 1 | u32 length | the same specification encoded again
 * from what was decoded, or u8 0 when it was refused.
 */
#include "decode-main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void write_u64(struct bh_writer *w, uint64_t value) {
  bh_write_u32(w, (uint32_t)value);
  bh_write_u32(w, (uint32_t)(value >> 32));
}

void write_texts(struct bh_writer *w, char *const *list) {
  uint32_t count = 0;
  while (list[count]) count++;
  bh_write_u32(w, count);
  for (uint32_t i = 0; i < count; i++) bh_write_text(w, list[i]);
}

void write_limit(struct bh_writer *w, bool limited, uint64_t value) {
  bh_write_u8(w, limited);
  if (limited) write_u64(w, value);
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
