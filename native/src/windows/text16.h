/* UTF-16 and UTF-8. Plain C without an operating system, but for bh_fold. */
#ifndef BULKHEAD_TEXT16_H
#define BULKHEAD_TEXT16_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hook-policy.h"

/* Returns the units written (never more than bytes read), or -1 for what is not well-formed UTF-8 or contains NUL. No NUL is added. */
long bh_utf16_from_utf8(const char *text, size_t length, uint16_t *into, size_t size);

/* Well-formed UTF-8 without NUL. */
bool bh_utf8_is_text(const char *text, size_t length);

/*
 * Writes as many whole characters as fit before the final NUL; a lone surrogate (file names may hold them) becomes U+FFFD, a NUL too.
 * Returns the bytes written without the NUL. `size` at least 1.
 */
size_t bh_utf8_from_utf16(struct bh_text16 text, char *into, size_t size);

/* The upper case of one unit, as the file system and the registry compare names (Win32 RtlUpcaseUnicodeChar). */
uint16_t bh_fold(uint16_t unit);

#endif
