/* The user's console while an agent uses it, and as it was afterwards. */
#ifndef BULKHEAD_USER_CONSOLE_H
#define BULKHEAD_USER_CONSOLE_H

#include <stdbool.h>
#include <windows.h>

struct bh_user_console {
  HANDLE in, out; /* NULL where nothing was changed */
  DWORD in_mode, out_mode;
  UINT in_page, out_page;
};

/*
 * What is written to it is UTF-8 from here on. `raw`: keys come as they are typed, escape sequences work as they are written. A stream that
 * is no console has nothing to change.
 */
void bh_user_console_enter(struct bh_user_console *console, HANDLE in, HANDLE out, bool raw);

void bh_user_console_leave(struct bh_user_console *console);

#endif
