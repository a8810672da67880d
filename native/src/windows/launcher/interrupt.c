#include "interrupt.h"

#include "spawn.h"

int bh_interrupt_run(void) {
  return GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0) ? 0 : (int)GetLastError();
}

bool bh_interrupt(const struct bh_walls *walls, const struct bh_watch *watch, HPCON console) {
  struct bh_start start = {.console = console};
  PROCESS_INFORMATION sender;
  struct bh_fault fault;
  if (!console) return bh_interrupt_run() == 0;
  if (bh_spawn_own(walls, BH_INTERRUPT_ARGUMENT, &start, &sender, &fault) < 0) return false;
  const bool resumed = bh_watch_enter(watch, &sender, false, &fault) == 0 && ResumeThread(sender.hThread) != (DWORD)-1;
  if (!resumed) TerminateProcess(sender.hProcess, 1);
  CloseHandle(sender.hThread);
  CloseHandle(sender.hProcess);
  return resumed;
}
