#include "interrupt.h"

#include "sid.h"
#include "spawn.h"

/* Nobody's: OWNER RIGHTS take from the agent what an owner always has otherwise, to write this very list anew. */
#define CLOSED L"D:P(A;;GA;;;SY)(A;;RC;;;OW)"

int bh_interrupt_run(void) {
  return GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0) ? 0 : (int)GetLastError();
}

static bool send_from(const struct bh_walls *walls, struct bh_start *start) {
  PROCESS_INFORMATION sender;
  struct bh_fault fault;
  if (bh_spawn_own(walls, BH_INTERRUPT_ARGUMENT, start, &sender, &fault) < 0) return false;
  const bool resumed = ResumeThread(sender.hThread) != (DWORD)-1;
  if (!resumed) TerminateProcess(sender.hProcess, 1);
  CloseHandle(sender.hThread);
  CloseHandle(sender.hProcess);
  return resumed;
}

bool bh_interrupt(const struct bh_walls *walls, HPCON console) {
  if (!console) return bh_interrupt_run() == 0;
  struct bh_start start = {.console = console, .guard = bh_descriptor(CLOSED, NULL, NULL)};
  const bool sent = start.guard && send_from(walls, &start);
  LocalFree(start.guard);
  return sent;
}
