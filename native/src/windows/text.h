/* UTF-8, as frames have it, and UTF-16, as the system has it. */
#ifndef BULKHEAD_TEXT_H
#define BULKHEAD_TEXT_H

#include <wchar.h>

/* malloc; NULL with ERROR_NO_UNICODE_TRANSLATION for what is not UTF-8, or ERROR_OUTOFMEMORY. */
wchar_t *bh_wide(const char *text);

/* malloc; halves of a surrogate pair become U+FFFD. NULL only when memory ran out. */
char *bh_utf8(const wchar_t *text);

/* `bh_utf8` into a buffer; cut off, between characters, where it does not fit. */
void bh_utf8_into(const wchar_t *text, char *buffer, size_t size);

#endif
