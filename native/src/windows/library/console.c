#include <windows.h>

#include "library.h"

uint32_t bulkhead_console_save(uint32_t *state) {
  DWORD in, out;
  if (!GetConsoleMode(GetStdHandle(STD_INPUT_HANDLE), &in) || !GetConsoleMode(GetStdHandle(STD_OUTPUT_HANDLE), &out)) return GetLastError();
  state[0] = in;
  state[1] = out;
  state[2] = GetConsoleCP();
  state[3] = GetConsoleOutputCP();
  return 0;
}

void bulkhead_console_restore(const uint32_t *state) {
  SetConsoleMode(GetStdHandle(STD_INPUT_HANDLE), state[0]);
  SetConsoleMode(GetStdHandle(STD_OUTPUT_HANDLE), state[1]);
  SetConsoleCP(state[2]);
  SetConsoleOutputCP(state[3]);
}
