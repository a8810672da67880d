#include "user-console.h"

/* Ours to keep: the one we were given may be closed with its stream. */
static HANDLE copy_of(HANDLE handle) {
  const HANDLE self = GetCurrentProcess();
  HANDLE copy = NULL;
  return DuplicateHandle(self, handle, self, &copy, 0, FALSE, DUPLICATE_SAME_ACCESS) ? copy : NULL;
}

void bh_user_console_enter(struct bh_user_console *console, HANDLE in, HANDLE out, bool raw) {
  DWORD mode;
  *console = (struct bh_user_console){0};
  if (raw && GetConsoleMode(in, &mode)) {
    console->in = copy_of(in);
    console->in_mode = mode;
    SetConsoleMode(in, ENABLE_VIRTUAL_TERMINAL_INPUT | ENABLE_EXTENDED_FLAGS);
  }
  if (GetConsoleMode(out, &mode)) {
    console->out = copy_of(out);
    console->out_mode = mode;
    console->in_page = GetConsoleCP();
    console->out_page = GetConsoleOutputCP();
    if (raw) SetConsoleMode(out, ENABLE_PROCESSED_OUTPUT | ENABLE_VIRTUAL_TERMINAL_PROCESSING | DISABLE_NEWLINE_AUTO_RETURN);
    SetConsoleCP(CP_UTF8);
    SetConsoleOutputCP(CP_UTF8);
  }
}

void bh_user_console_leave(struct bh_user_console *console) {
  if (console->out) {
    SetConsoleMode(console->out, console->out_mode);
    SetConsoleCP(console->in_page);
    SetConsoleOutputCP(console->out_page);
    CloseHandle(console->out);
  }
  if (console->in) {
    SetConsoleMode(console->in, console->in_mode);
    CloseHandle(console->in);
  }
  *console = (struct bh_user_console){0};
}
