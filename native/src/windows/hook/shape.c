#include "shape.h"

#include <stddef.h>

static bool starts(const uint8_t *code, const uint8_t *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if (code[i] != bytes[i]) return false;
  }
  return true;
}

/*
 * `mov r10, rcx; mov eax, number` and behind it one of: the test for how to enter the kernel (Windows 10 and later, Wine), the plain
 * system call (before), or the jump of another hook that left the first eight bytes alone. Everything jumps within the 32 bytes or
 * absolutely, so that a copy of them works anywhere. Any other beginning is somebody else's hook or a system we do not know.
 */
bool bh_stub_is_sound(const uint8_t *code) {
  static const uint8_t head[] = {0x4c, 0x8b, 0xd1, 0xb8};
  static const uint8_t test[] = {0xf6, 0x04, 0x25, 0x08, 0x03, 0xfe, 0x7f, 0x01, 0x75, 0x03, 0x0f, 0x05, 0xc3};
  static const uint8_t plain[] = {0x0f, 0x05, 0xc3};
  const uint8_t *tail = code + 8;
  if (!starts(code, head, sizeof(head)) || code[6] != 0 || code[7] != 0) return false;
  if (starts(tail, test, sizeof(test)) || starts(tail, plain, sizeof(plain))) return true;
  return tail[0] == 0x49 && tail[1] == 0xbb && tail[10] == 0x41 && tail[11] == 0xff && tail[12] == 0xe3;
}

bool bh_stub_is_changed(const uint8_t *code) { return code[0] == 0x48 && code[1] == 0xb8 && code[10] == 0xff && code[11] == 0xe0; }
