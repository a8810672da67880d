#include "text-out.h"

#include <windows.h>

uint32_t bh_text_out(const wchar_t *made, wchar_t *text, uint32_t *length) {
  const uint32_t needed = (uint32_t)wcslen(made) + 1;
  const BOOL fits = needed <= *length;
  if (fits) CopyMemory(text, made, needed * sizeof(*text));
  *length = needed;
  return fits ? 0 : ERROR_MORE_DATA;
}
