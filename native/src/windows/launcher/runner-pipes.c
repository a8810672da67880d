#include "runner-pipes.h"

#include <sddl.h>
#include <stdio.h>

/* A few frames or screens of output may be under way. */
#define BUFFER 65536

/* Milliseconds. */
#define PATIENCE 60000

/*
 * What a client needs to read or to write, and nothing that makes another instance of the pipe (FILE_APPEND_DATA is
 * FILE_CREATE_PIPE_INSTANCE): "Named Pipe Security and Access Rights".
 */
#define READ_ONLY (FILE_READ_DATA | FILE_READ_ATTRIBUTES | READ_CONTROL | SYNCHRONIZE)
#define WRITE_ONLY (FILE_WRITE_DATA | FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES | READ_CONTROL | SYNCHRONIZE)

bool bh_pipe_is_inward(enum bh_runner_pipe which) {
  return which == BH_PIPE_INPUT || which == BH_PIPE_STDIN;
}

static void name_of(const wchar_t *nonce, enum bh_runner_pipe which, wchar_t name[MAX_PATH]) {
  swprintf(name, MAX_PATH, L"\\\\.\\pipe\\bulkhead-runner-%ls-%d", nonce, (int)which);
}

/* The account alone: this process has its handles already, and nobody else of this user has any business there. */
static int descriptor_for(const wchar_t *account, bool inward, PSECURITY_DESCRIPTOR *descriptor, struct bh_fault *fault) {
  wchar_t text[256];
  const DWORD rights = inward ? READ_ONLY : WRITE_ONLY;
  const int length = swprintf(text, 256, L"D:P(A;;0x%lx;;;%ls)", rights, account);
  if (length < 0) return bh_fault(fault, ERROR_INVALID_SID, "guarding the pipes of the runner", NULL);
  if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(text, SDDL_REVISION_1, descriptor, NULL))
    return bh_fault(fault, 0, "guarding the pipes of the runner", NULL);
  return 0;
}

static int make_one(const wchar_t *nonce, const wchar_t *account, enum bh_runner_pipe which, HANDLE *pipe, struct bh_fault *fault) {
  wchar_t name[MAX_PATH];
  SECURITY_ATTRIBUTES attributes = {.nLength = sizeof(attributes)};
  if (descriptor_for(account, bh_pipe_is_inward(which), &attributes.lpSecurityDescriptor, fault) < 0) return -1;
  name_of(nonce, which, name);
  /* The access is the server's: what the client reads it writes. First instance: a name that somebody took before is an error, not a pipe. */
  const DWORD access = bh_pipe_is_inward(which) ? PIPE_ACCESS_OUTBOUND : PIPE_ACCESS_INBOUND;
  const DWORD mode = PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS;
  *pipe = CreateNamedPipeW(name, access | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE, mode, 1, BUFFER, BUFFER, 0, &attributes);
  if (*pipe == INVALID_HANDLE_VALUE) {
    *pipe = NULL;
    bh_fault(fault, 0, "making the pipes of the runner", NULL);
  }
  LocalFree(attributes.lpSecurityDescriptor);
  return *pipe ? 0 : -1;
}

int bh_pipes_make(const wchar_t *nonce, const wchar_t *account, HANDLE pipes[BH_PIPES], struct bh_fault *fault) {
  for (int i = 0; i < BH_PIPES; i++) pipes[i] = NULL;
  for (int i = 0; i < BH_PIPES; i++) {
    if (make_one(nonce, account, (enum bh_runner_pipe)i, &pipes[i], fault) == 0) continue;
    while (i-- > 0) CloseHandle(pipes[i]);
    return -1;
  }
  return 0;
}

/* One that never got a console or lost its account's session ends with a status of its own. */
static int ended_early(HANDLE process, struct bh_fault *fault) {
  DWORD code = 0;
  GetExitCodeProcess(process, &code);
  return bh_fault(fault, code ? code : ERROR_PROCESS_ABORTED, "starting the runner", NULL);
}

static int wait_for_client(HANDLE pipe, OVERLAPPED *call, HANDLE process, ULONGLONG deadline, struct bh_fault *fault) {
  const HANDLE either[] = {call->hEvent, process};
  const ULONGLONG now = GetTickCount64();
  DWORD unused;
  const DWORD woken = WaitForMultipleObjects(2, either, FALSE, now < deadline ? (DWORD)(deadline - now) : 0);
  if (woken == WAIT_OBJECT_0) {
    return GetOverlappedResult(pipe, call, &unused, TRUE) ? 0 : bh_fault(fault, 0, "waiting for the runner", NULL);
  }
  CancelIoEx(pipe, call);
  GetOverlappedResult(pipe, call, &unused, TRUE);
  return woken == WAIT_OBJECT_0 + 1 ? ended_early(process, fault) : bh_fault(fault, ERROR_TIMEOUT, "waiting for the runner", NULL);
}

static int accept_one(HANDLE pipe, HANDLE process, ULONGLONG deadline, struct bh_fault *fault) {
  OVERLAPPED call = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
  if (!call.hEvent) return bh_fault(fault, 0, "waiting for the runner", NULL);
  /* A client that was faster is no error ("ConnectNamedPipe"). */
  const DWORD state = ConnectNamedPipe(pipe, &call) ? ERROR_PIPE_CONNECTED : GetLastError();
  int result = 0;
  if (state == ERROR_IO_PENDING) result = wait_for_client(pipe, &call, process, deadline, fault);
  else if (state != ERROR_PIPE_CONNECTED) result = bh_fault(fault, state, "waiting for the runner", NULL);
  CloseHandle(call.hEvent);
  if (result < 0) return -1;
  ULONG client = 0;
  if (!GetNamedPipeClientProcessId(pipe, &client)) return bh_fault(fault, 0, "asking who opened the pipe of the runner", NULL);
  if (client == GetProcessId(process)) return 0;
  return bh_fault(fault, ERROR_ACCESS_DENIED, "another process opened the pipe of the runner", NULL);
}

int bh_pipes_accept(HANDLE pipes[BH_PIPES], HANDLE process, struct bh_fault *fault) {
  const ULONGLONG deadline = GetTickCount64() + PATIENCE;
  for (int i = 0; i < BH_PIPES; i++) {
    if (accept_one(pipes[i], process, deadline, fault) < 0) return -1;
  }
  return 0;
}

uint32_t bh_pipe_open(const wchar_t *nonce, enum bh_runner_pipe which, DWORD server, HANDLE *pipe) {
  wchar_t name[MAX_PATH];
  name_of(nonce, which, name);
  /* Whoever serves the pipe may learn who we are, and no more. */
  const DWORD quality = SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION;
  HANDLE opened = CreateFileW(name, bh_pipe_is_inward(which) ? READ_ONLY : WRITE_ONLY, 0, NULL, OPEN_EXISTING, quality, NULL);
  if (opened == INVALID_HANDLE_VALUE) return GetLastError();
  ULONG found = 0;
  uint32_t error = GetNamedPipeServerProcessId(opened, &found) ? 0 : GetLastError();
  if (!error && found != server) error = ERROR_ACCESS_DENIED;
  if (error) CloseHandle(opened);
  else *pipe = opened;
  return error;
}

/* Of a call that was started on an overlapped handle. */
static bool completed(HANDLE pipe, OVERLAPPED *call, BOOL done, DWORD *bytes) {
  if (!done && GetLastError() != ERROR_IO_PENDING) return false;
  return GetOverlappedResult(pipe, call, bytes, TRUE) != 0;
}

bool bh_pipe_read(HANDLE pipe, void *bytes, DWORD room, DWORD *got) {
  OVERLAPPED call = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
  if (!call.hEvent) return false;
  const bool read = completed(pipe, &call, ReadFile(pipe, bytes, room, NULL, &call), got);
  CloseHandle(call.hEvent);
  return read && *got > 0;
}

bool bh_pipe_write(HANDLE pipe, const void *bytes, DWORD length) {
  OVERLAPPED call = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
  DWORD written = 0;
  if (!call.hEvent) return false;
  const bool wrote = completed(pipe, &call, WriteFile(pipe, bytes, length, NULL, &call), &written);
  CloseHandle(call.hEvent);
  return wrote && written == length;
}
