#include <windows.h>
#include <winternl.h>

#include "text16.h"

NTSYSAPI WCHAR NTAPI RtlUpcaseUnicodeChar(WCHAR unit);

uint16_t bh_fold(uint16_t unit) {
  if (unit < 0x80) return unit >= 'a' && unit <= 'z' ? (uint16_t)(unit - 32) : unit;
  return RtlUpcaseUnicodeChar(unit);
}
