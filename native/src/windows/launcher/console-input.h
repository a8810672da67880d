/* What a user types, or what comes from a pipe or a file in its place. */
#ifndef BULKHEAD_CONSOLE_INPUT_H
#define BULKHEAD_CONSOLE_INPUT_H

#include <stdbool.h>
#include <windows.h>

struct bh_input {
  HANDLE from;
  wchar_t kept; /* half of a surrogate pair; 0 */
};

bool bh_is_console(HANDLE handle);

/* At least 4096 bytes of `room`. A console comes out as UTF-8. False at the end. */
bool bh_input_read(struct bh_input *input, char *bytes, DWORD room, DWORD *length);

#endif
