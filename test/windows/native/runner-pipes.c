/*
 * runner-pipes.exe <case> <sid>
 *
 * The two ends of the pipes between the launcher and its runner, as the product has them, with this program in the place of both. `sid`: the
 * user's, who is both here. Prints the step and the error number, or "ok". Cases: right (the process that was started opens them), stranger
 * (another one does, before it), ended (it ends instead), taken (the name of the last pipe is somebody's already), server (the one who serves
 * them is not whom it was told), second (one more opens them), backwards (it writes where it should read).
 */
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

#include "launcher/runner-pipes.h"

static const wchar_t nonce[] = L"0123456789abcdef0123456789abcdef";

static PROCESS_INFORMATION start(const wchar_t *verb, DWORD server, DWORD flags) {
  wchar_t file[MAX_PATH], line[MAX_PATH + 64];
  STARTUPINFOW startup = {.cb = sizeof(startup)};
  PROCESS_INFORMATION process;
  GetModuleFileNameW(NULL, file, MAX_PATH);
  swprintf(line, MAX_PATH + 64, L"\"%ls\" %ls %lu", file, verb, server);
  if (!CreateProcessW(file, line, NULL, NULL, FALSE, flags, NULL, NULL, &startup, &process)) exit(3);
  return process;
}

/* As the child: opens every pipe and stays. */
static int open_all(DWORD server) {
  for (int i = 0; i < BH_PIPES; i++) {
    HANDLE pipe;
    const uint32_t error = bh_pipe_open(nonce, (enum bh_runner_pipe)i, server, &pipe);
    if (error) return (int)error;
  }
  Sleep(INFINITE);
  return 0;
}

static int open_backwards(void) {
  HANDLE pipe = CreateFileW(L"\\\\.\\pipe\\bulkhead-runner-0123456789abcdef0123456789abcdef-0", GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
  return pipe == INVALID_HANDLE_VALUE ? (int)GetLastError() : 0;
}

static int say(int result, const struct bh_fault *fault) {
  if (result == 0) printf("ok\n");
  else printf("%s %u\n", fault->operation, fault->code);
  return 0;
}

static void say_code(PROCESS_INFORMATION process) {
  DWORD code = 0;
  WaitForSingleObject(process.hProcess, 10000);
  GetExitCodeProcess(process.hProcess, &code);
  printf("%lu\n", code);
}

static int serve(const wchar_t *what, const wchar_t *sid) {
  HANDLE pipes[BH_PIPES];
  struct bh_fault fault;
  const DWORD self = GetCurrentProcessId();
  const wchar_t *last = L"\\\\.\\pipe\\bulkhead-runner-0123456789abcdef0123456789abcdef-4";
  if (wcscmp(what, L"taken") == 0) CreateNamedPipeW(last, PIPE_ACCESS_DUPLEX, 0, PIPE_UNLIMITED_INSTANCES, 0, 0, 0, NULL);
  if (bh_pipes_make(nonce, sid, pipes, &fault) < 0) {
    say(-1, &fault);
    /* Those that could be made are closed again. */
    return open_backwards() == ERROR_FILE_NOT_FOUND ? 0 : 4;
  }
  if (wcscmp(what, L"server") == 0 || wcscmp(what, L"backwards") == 0) {
    say_code(start(wcscmp(what, L"server") == 0 ? L"open" : L"write", self + 4, 0));
    return 0;
  }
  if (wcscmp(what, L"stranger") == 0) {
    PROCESS_INFORMATION runner = start(L"open", self, CREATE_SUSPENDED), stranger = start(L"open", self, 0);
    say(bh_pipes_accept(pipes, runner.hProcess, &fault), &fault);
    TerminateProcess(runner.hProcess, 0);
    TerminateProcess(stranger.hProcess, 0);
    return 0;
  }
  PROCESS_INFORMATION runner = start(wcscmp(what, L"ended") == 0 ? L"end" : L"open", self, 0);
  say(bh_pipes_accept(pipes, runner.hProcess, &fault), &fault);
  if (wcscmp(what, L"second") == 0) say_code(start(L"open", self, 0));
  TerminateProcess(runner.hProcess, 0);
  return 0;
}

int wmain(int count, wchar_t **arguments);

int wmain(int count, wchar_t **arguments) {
  if (count != 3) return 2;
  if (wcscmp(arguments[1], L"open") == 0) return open_all(wcstoul(arguments[2], NULL, 10));
  if (wcscmp(arguments[1], L"write") == 0) return open_backwards();
  if (wcscmp(arguments[1], L"end") == 0) return 7;
  return serve(arguments[1], arguments[2]);
}
