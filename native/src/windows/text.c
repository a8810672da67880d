#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>

wchar_t *bh_wide(const char *text) {
  const int length = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
  if (length <= 0) return NULL;
  wchar_t *wide = malloc((size_t)length * sizeof(wchar_t));
  if (!wide) {
    SetLastError(ERROR_OUTOFMEMORY);
    return NULL;
  }
  MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide, length);
  return wide;
}

char *bh_utf8(const wchar_t *text) {
  const int length = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
  char *bytes = malloc((size_t)(length > 0 ? length : 1));
  if (!bytes) return NULL;
  bytes[0] = 0;
  if (length > 0) WideCharToMultiByte(CP_UTF8, 0, text, -1, bytes, length, NULL, NULL);
  return bytes;
}

void bh_utf8_into(const wchar_t *text, char *buffer, size_t size) {
  char *whole = bh_utf8(text);
  const char *bytes = whole ? whole : "";
  size_t length = strlen(bytes);
  if (length >= size) {
    length = size - 1;
    while (length > 0 && ((unsigned char)bytes[length] & 0xC0) == 0x80) length--;
  }
  memcpy(buffer, bytes, length);
  buffer[length] = 0;
  free(whole);
}
