#include "sensitive.h"

#include <string.h>
#include <windows.h>

#include "sensitive-network.h"

/* A second copy of this process that is suspended and ended at once; what counts is whether it could have left the job. */
static uint32_t breakaway(void) {
  wchar_t file[MAX_PATH];
  STARTUPINFOW info = {.cb = sizeof(info)};
  PROCESS_INFORMATION process;
  if (GetModuleFileNameW(NULL, file, MAX_PATH) == 0) return GetLastError();
  if (!CreateProcessW(file, NULL, NULL, NULL, FALSE, CREATE_SUSPENDED | CREATE_BREAKAWAY_FROM_JOB, NULL, NULL, &info, &process)) {
    return GetLastError();
  }
  TerminateProcess(process.hProcess, 0);
  CloseHandle(process.hThread);
  CloseHandle(process.hProcess);
  return 0;
}

static const struct {
  const char *name;
  uint32_t (*act)(void);
} acts[] = {
    {"breakaway", breakaway},
    {"listen-v4", bh_try_listen_v4},
    {"listen-v6", bh_try_listen_v6},
    {"datagram-v4", bh_try_datagram_v4},
    {"datagram-v6", bh_try_datagram_v6},
};

uint32_t bh_sensitive(const char *name) {
  for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
    if (strcmp(acts[i].name, name) == 0) return acts[i].act();
  }
  return ERROR_INVALID_FUNCTION;
}
