#include "pump.h"

#include <stdlib.h>

#include "console-input.h"

struct path {
  HANDLE from, to;
  bool owns_from, owns_to;
  volatile LONG *writing;
};

static bool write_all(const struct path *path, const char *bytes, DWORD length) {
  bool written = true;
  if (!path->to) return true;
  InterlockedExchange(path->writing, 1);
  for (DWORD done = 0; written && done < length;) {
    DWORD n = 0;
    written = WriteFile(path->to, bytes + done, length - done, &n, NULL) != 0;
    done += n;
  }
  InterlockedExchange(path->writing, 0);
  return written;
}

static DWORD WINAPI run(LPVOID parameter) {
  const struct path path = *(struct path *)parameter;
  free(parameter);
  struct bh_input input = {path.from, 0};
  char bytes[16384];
  DWORD length;
  while (bh_input_read(&input, bytes, sizeof(bytes), &length) && write_all(&path, bytes, length)) continue;
  if (path.owns_from) CloseHandle(path.from);
  if (path.owns_to && path.to) CloseHandle(path.to);
  return 0;
}

bool bh_pump_start(struct bh_pump *pump, HANDLE from, bool owns_from, HANDLE to, bool owns_to) {
  struct path *path = malloc(sizeof(*path));
  if (!path) return false;
  *path = (struct path){from, to, owns_from, owns_to, &pump->writing};
  pump->writing = 0;
  pump->thread = CreateThread(NULL, 0, run, path, 0, NULL);
  if (!pump->thread) free(path);
  return pump->thread != NULL;
}

bool bh_pump_finish(struct bh_pump *pump, DWORD patience) {
  if (!pump->thread) return true;
  const ULONGLONG last = GetTickCount64() + 60000;
  bool ended;
  do {
    ended = WaitForSingleObject(pump->thread, patience) == WAIT_OBJECT_0;
  } while (!ended && pump->writing && GetTickCount64() < last);
  CloseHandle(pump->thread);
  pump->thread = NULL;
  return ended;
}

bool bh_pump_stop(struct bh_pump *pump, DWORD patience) {
  if (pump->thread) CancelSynchronousIo(pump->thread);
  return bh_pump_finish(pump, patience);
}
