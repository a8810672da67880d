#include "report.h"

#include "../text16.h"

#define BUFFER (64u * 1024u)
#define CONNECT_PATIENCE 10000u
#define LOCK_PATIENCE 50 /* milliseconds */

static const struct bh_hook_policy *rules;
static HANDLE channel = INVALID_HANDLE_VALUE;
static char program[BH_HOOK_PROGRAM_MAX];
static wchar_t pipe_name[256];

/* What waits to be written; `filling` is the half that events go into. */
static struct {
  uint8_t bytes[BUFFER];
  size_t length;
} halves[2];
static volatile LONG filling;
static volatile LONG lost;
static volatile LONG locked;
static volatile LONG writing;
static volatile LONG writer;
static HANDLE something;

/* A thread that was ended while it held the lock must not stop the others for ever: they give up and the event is lost. */
static bool lock(volatile LONG *which, DWORD patience) {
  const ULONGLONG until = GetTickCount64() + patience;
  for (unsigned turns = 0; InterlockedCompareExchange(which, 1, 0) != 0; turns++) {
    if (turns < 64) {
      YieldProcessor();
    } else if (GetTickCount64() > until) {
      return false;
    } else {
      Sleep(turns < 128 ? 0 : 1);
    }
  }
  return true;
}

static void unlock(volatile LONG *which) { InterlockedExchange(which, 0); }

static bool transfer(HANDLE pipe, bool write, void *bytes, DWORD length, DWORD patience) {
  OVERLAPPED overlapped = {0};
  DWORD done = 0;
  overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
  if (overlapped.hEvent == NULL) return false;
  bool ok = write ? WriteFile(pipe, bytes, length, &done, &overlapped) : ReadFile(pipe, bytes, length, &done, &overlapped);
  if (!ok && GetLastError() == ERROR_IO_PENDING) {
    if (WaitForSingleObject(overlapped.hEvent, patience) != WAIT_OBJECT_0) CancelIoEx(pipe, &overlapped);
    ok = GetOverlappedResult(pipe, &overlapped, &done, TRUE);
  }
  CloseHandle(overlapped.hEvent);
  return ok && done == length;
}

/* The server may learn who we are and nothing more (SECURITY_IDENTIFICATION): a pipe of somebody else's could otherwise act as us. */
static HANDLE connect_pipe(DWORD patience) {
  const DWORD flags = FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION;
  const ULONGLONG until = GetTickCount64() + patience;
  for (;;) {
    HANDLE pipe = CreateFileW(pipe_name, FILE_READ_DATA | FILE_WRITE_DATA, 0, NULL, OPEN_EXISTING, flags, NULL);
    if (pipe != INVALID_HANDLE_VALUE) {
      ULONG server = 0;
      struct bh_hook_frame hello = {.type = BH_HOOK_HELLO, .version = BH_HOOK_POLICY_VERSION, .digest = rules->digest};
      uint8_t bytes[64];
      uint8_t welcome = 0;
      if (GetNamedPipeServerProcessId(pipe, &server) && server == rules->supervisor &&
          transfer(pipe, true, bytes, (DWORD)bh_hook_frame_write(&hello, bytes), patience) &&
          transfer(pipe, false, &welcome, 1, patience) && welcome == 1) {
        return pipe;
      }
      CloseHandle(pipe);
      return INVALID_HANDLE_VALUE;
    }
    if (GetLastError() != ERROR_PIPE_BUSY || GetTickCount64() > until) return INVALID_HANDLE_VALUE;
    WaitNamedPipeW(pipe_name, 50);
  }
}

static void name_program(void) {
  static wchar_t path[1024];
  const DWORD length = GetModuleFileNameW(NULL, path, 1023);
  DWORD start = length;
  while (start > 0 && path[start - 1] != L'\\') start--;
  bh_utf8_from_utf16((struct bh_text16){(const uint16_t *)path + start, length - start}, program, sizeof(program));
}

bool bh_report_start(const struct bh_hook_policy *policy) {
  rules = policy;
  if (policy->pipe.length >= sizeof(pipe_name) / sizeof(pipe_name[0])) return false;
  memcpy(pipe_name, policy->pipe.units, policy->pipe.length * sizeof(wchar_t));
  pipe_name[policy->pipe.length] = 0;
  name_program();
  something = CreateEventW(NULL, FALSE, FALSE, NULL);
  if (something == NULL) return false;
  channel = connect_pipe(CONNECT_PATIENCE);
  if (channel == INVALID_HANDLE_VALUE) return false;
  /* A program that closes handles it does not know would let our events go into whatever gets the number next. */
  SetHandleInformation(channel, HANDLE_FLAG_PROTECT_FROM_CLOSE, HANDLE_FLAG_PROTECT_FROM_CLOSE);
  SetHandleInformation(something, HANDLE_FLAG_PROTECT_FROM_CLOSE, HANDLE_FLAG_PROTECT_FROM_CLOSE);
  return true;
}

/* Writes the full half. One at a time: the writer, or whoever ends the process. */
static void write_half(DWORD patience) {
  if (!lock(&writing, patience)) return;
  if (lock(&locked, LOCK_PATIENCE)) {
    const LONG half = filling;
    const size_t length = halves[half].length;
    if (length > 0) {
      filling = 1 - half;
      halves[filling].length = 0;
    }
    unlock(&locked);
    if (length > 0 && !transfer(channel, true, halves[half].bytes, (DWORD)length, patience)) InterlockedIncrement(&lost);
  }
  unlock(&writing);
}

static DWORD WINAPI write_always(void *unused) {
  (void)unused;
  bh_enter();
  for (;;) {
    WaitForSingleObject(something, INFINITE);
    write_half(INFINITE);
  }
  return 0;
}

/* The writer is started by the first event: most processes never have one. */
static void wake(void) {
  if (InterlockedCompareExchange(&writer, 1, 0) == 0) {
    HANDLE thread = CreateThread(NULL, 64 * 1024, write_always, NULL, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
    if (thread == NULL) {
      InterlockedExchange(&writer, 0);
    } else {
      CloseHandle(thread);
    }
  }
  SetEvent(something);
}

void bh_report(struct bh_room *room, uint32_t rule, unsigned act, unsigned action, struct bh_text16 object) {
  bh_utf8_from_utf16(object, room->object, sizeof(room->object));
  struct bh_hook_frame frame = {.type = BH_HOOK_EVENT, .act = (uint8_t)act, .action = (uint8_t)action, .rule = rule};
  frame.program = program;
  frame.object = room->object;
  if (!lock(&locked, LOCK_PATIENCE)) {
    InterlockedIncrement(&lost);
    return;
  }
  const LONG half = filling;
  if (BUFFER - halves[half].length < BH_HOOK_FRAME_MAX) {
    InterlockedIncrement(&lost);
  } else {
    frame.lost = (uint32_t)InterlockedExchange(&lost, 0);
    halves[half].length += bh_hook_frame_write(&frame, halves[half].bytes + halves[half].length);
  }
  unlock(&locked);
  wake();
}

bool bh_report_ask(struct bh_room *room, uint32_t rule, unsigned act, struct bh_text16 object) {
  uint8_t verdict = 0;
  const ULONGLONG begun = GetTickCount64();
  HANDLE pipe = connect_pipe(rules->ask_timeout);
  if (pipe == INVALID_HANDLE_VALUE) return false;
  bh_utf8_from_utf16(object, room->object, sizeof(room->object));
  struct bh_hook_frame frame = {.type = BH_HOOK_QUESTION, .act = (uint8_t)act, .action = BH_HOOK_ASK, .rule = rule};
  frame.program = program;
  frame.object = room->object;
  uint8_t *bytes = (uint8_t *)room->raw;
  const DWORD length = (DWORD)bh_hook_frame_write(&frame, bytes);
  bool ok = transfer(pipe, true, bytes, length, rules->ask_timeout);
  const ULONGLONG spent = GetTickCount64() - begun;
  if (ok) ok = spent < rules->ask_timeout && transfer(pipe, false, &verdict, 1, rules->ask_timeout - (DWORD)spent);
  CloseHandle(pipe);
  return ok && verdict == 1;
}

void bh_report_flush(DWORD milliseconds) {
  if (channel == INVALID_HANDLE_VALUE) return;
  /* Once in any case: an empty half may mean that the writer is just writing the other one, and its thread is about to be ended. */
  for (int rounds = 0; rounds == 0 || (rounds < 3 && halves[filling].length > 0); rounds++) write_half(milliseconds);
}
