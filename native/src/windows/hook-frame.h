/*
 * Frames of the event pipe. Plain C without an operating system. A client connects, says hello, and reads one byte, 1: it was recognised.
 * Then it either reports events for as long as it lives, or asks one question and reads one byte: 1 yes, 0 no.
 *
 * u32 length of what follows | u8 type | body; little-endian; a text is u16 length, that many bytes of UTF-8 without NUL, and a NUL.
 *   HELLO  u32 version, u64 digest of the policy
 *   EVENT  u32 rule, u8 act, u8 action, u32 lost, text program, text object
 *   ASK    u32 rule, u8 act, text program, text object
 */
#ifndef BULKHEAD_HOOK_FRAME_H
#define BULKHEAD_HOOK_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "hook-policy.h"

/* Bytes of texts, including the final NUL; longer ones are cut at a character. */
#define BH_HOOK_PROGRAM_MAX 256u
#define BH_HOOK_OBJECT_MAX 4096u
/* No frame is longer, the length field included. */
#define BH_HOOK_FRAME_MAX (4u + 1u + 10u + 2u * 3u + BH_HOOK_PROGRAM_MAX + BH_HOOK_OBJECT_MAX)

enum bh_hook_frame_type { BH_HOOK_HELLO = 1, BH_HOOK_EVENT = 2, BH_HOOK_QUESTION = 3 };

struct bh_hook_frame {
  uint8_t type; /* enum bh_hook_frame_type */
  uint8_t act; /* enum bh_hook_act */
  uint8_t action; /* enum bh_hook_action; BH_HOOK_ASK in a question */
  uint32_t version; /* of HELLO */
  uint64_t digest;
  uint32_t rule;
  uint32_t lost;
  const char *program, *object; /* NUL-terminated; when reading they point into the bytes */
};

/* Returns the bytes written; `into` has room for BH_HOOK_FRAME_MAX. */
size_t bh_hook_frame_write(const struct bh_hook_frame *frame, uint8_t *into);

/* Reads the first frame of `bytes`: returns its whole length, 0 when more bytes are needed, -1 when they are no frame. */
long bh_hook_frame_read(const uint8_t *bytes, size_t length, struct bh_hook_frame *frame);

#endif
