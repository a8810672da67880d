#include "text16.h"

/* One code point; returns its length in bytes, or 0 when it is malformed, overlong, a surrogate or too large. */
static size_t decode(const uint8_t *at, size_t left, uint32_t *code) {
  static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  size_t length = 1;
  if (at[0] < 0x80) {
    *code = at[0];
    return 1;
  }
  if (at[0] >= 0xc2 && at[0] < 0xe0) {
    length = 2;
  } else if (at[0] >= 0xe0 && at[0] < 0xf0) {
    length = 3;
  } else if (at[0] >= 0xf0 && at[0] < 0xf5) {
    length = 4;
  } else {
    return 0;
  }
  if (left < length) return 0;
  *code = at[0] & (0xffu >> (length + 1));
  for (size_t i = 1; i < length; i++) {
    if ((at[i] & 0xc0) != 0x80) return 0;
    *code = *code << 6 | (at[i] & 0x3fu);
  }
  if (*code < smallest[length] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000)) return 0;
  return length;
}

long bh_utf16_from_utf8(const char *text, size_t length, uint16_t *into, size_t size) {
  const uint8_t *bytes = (const uint8_t *)text;
  size_t made = 0;
  for (size_t at = 0; at < length;) {
    uint32_t code;
    const size_t step = decode(bytes + at, length - at, &code);
    if (step == 0 || code == 0) return -1;
    const size_t units = code > 0xffff ? 2 : 1;
    if (size - made < units) return -1;
    if (units == 2) {
      into[made++] = (uint16_t)(0xd7c0 + (code >> 10));
      into[made++] = (uint16_t)(0xdc00 + (code & 0x3ff));
    } else {
      into[made++] = (uint16_t)code;
    }
    at += step;
  }
  return (long)made;
}

bool bh_utf8_is_text(const char *text, size_t length) {
  const uint8_t *bytes = (const uint8_t *)text;
  for (size_t at = 0; at < length;) {
    uint32_t code;
    const size_t step = decode(bytes + at, length - at, &code);
    if (step == 0 || code == 0) return false;
    at += step;
  }
  return true;
}

static size_t encode(uint32_t code, uint8_t bytes[4]) {
  if (code < 0x80) {
    bytes[0] = (uint8_t)code;
    return 1;
  }
  const size_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (size_t i = length - 1; i > 0; i--) {
    bytes[i] = (uint8_t)(0x80 | (code & 0x3f));
    code >>= 6;
  }
  bytes[0] = (uint8_t)((0xf00u >> length) | code);
  return length;
}

size_t bh_utf8_from_utf16(struct bh_text16 text, char *into, size_t size) {
  size_t made = 0;
  for (uint32_t i = 0; i < text.length; i++) {
    uint32_t code = text.units[i];
    if (code >= 0xd800 && code < 0xdc00 && i + 1 < text.length && text.units[i + 1] >= 0xdc00 && text.units[i + 1] < 0xe000) {
      code = 0x10000 + ((code - 0xd800) << 10) + (text.units[++i] - 0xdc00u);
    } else if (code == 0 || (code >= 0xd800 && code < 0xe000)) {
      code = 0xfffd;
    }
    uint8_t bytes[4];
    const size_t length = encode(code, bytes);
    if (made + length + 1 > size) break;
    for (size_t k = 0; k < length; k++) into[made++] = (char)bytes[k];
  }
  into[made] = '\0';
  return made;
}
