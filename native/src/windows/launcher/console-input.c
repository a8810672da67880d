#include "console-input.h"

bool bh_is_console(HANDLE handle) {
  DWORD mode;
  return handle && GetConsoleMode(handle, &mode);
}

/* Ctrl-Z at the beginning of a line ends the input of a console that is read line by line. */
static bool is_end(HANDLE console, wchar_t first) {
  DWORD mode = 0;
  return first == 0x1a && GetConsoleMode(console, &mode) && (mode & ENABLE_LINE_INPUT);
}

/* ReadFile on a console loses what is not ASCII, whatever its code page. Half of a surrogate pair waits for the other one. */
static bool read_console(struct bh_input *input, char *bytes, DWORD room, DWORD *length) {
  wchar_t text[1025];
  *length = 0;
  while (*length == 0) {
    DWORD count = 0, kept = input->kept ? 1 : 0;
    text[0] = input->kept;
    if (!ReadConsoleW(input->from, text + kept, 1024, &count, NULL) || count == 0 || is_end(input->from, text[0])) return false;
    count += kept;
    input->kept = IS_HIGH_SURROGATE(text[count - 1]) ? text[--count] : 0;
    if (count > 0) *length = (DWORD)WideCharToMultiByte(CP_UTF8, 0, text, (int)count, bytes, (int)room, NULL, NULL);
  }
  return true;
}

bool bh_input_read(struct bh_input *input, char *bytes, DWORD room, DWORD *length) {
  if (bh_is_console(input->from)) return read_console(input, bytes, room, length);
  return ReadFile(input->from, bytes, room, length, NULL) && *length > 0;
}
