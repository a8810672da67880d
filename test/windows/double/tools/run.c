/*
 * double-run.exe <state-directory> [--relay] -- <program> [argument …]
 *
 * Starts a program with the kernel double in it, waits, and ends with its exit code. kernel-double.dll is copied from beside this program into the
 * state directory, which is made when it is missing. --relay: the program gets pipes of Wine's as stdout and stderr, and what comes out is written
 * to ours; Windows Node cannot use a pipe of the host. stdin is passed on as it is.
 */
#include <windows.h>

#include <stdio.h>
#include <wchar.h>

enum { FAILED = 250 };

static int failure(const char *what) {
  fprintf(stderr, "double-run: %s: error %lu\n", what, GetLastError());
  return FAILED;
}

/** One argument quoted as CommandLineToArgvW reads it. */
static WCHAR *quote(WCHAR *out, const WCHAR *argument) {
  *out++ = L'"';
  for (;; argument++) {
    size_t slashes = 0;
    while (*argument == L'\\') {
      slashes++;
      argument++;
    }
    if (*argument == L'"') slashes = 2 * slashes + 1;
    if (!*argument) slashes *= 2;
    while (slashes--) *out++ = L'\\';
    if (!*argument) break;
    *out++ = *argument;
  }
  *out++ = L'"';
  return out;
}

typedef struct {
  HANDLE from, to;
} relay;

static DWORD WINAPI copy(void *parameter) {
  const relay *pair = parameter;
  char buffer[4096];
  DWORD got, written;
  while (ReadFile(pair->from, buffer, sizeof(buffer), &got, NULL) && got) {
    for (DWORD done = 0; done < got; done += written) {
      if (!WriteFile(pair->to, buffer + done, got - done, &written, NULL)) return 1;
    }
  }
  return 0;
}

static BOOL prepare(WCHAR *directory, WCHAR dll[MAX_PATH]) {
  WCHAR own[MAX_PATH], full[MAX_PATH];
  if (!GetFullPathNameW(directory, MAX_PATH - 32, full, NULL)) return FALSE;
  if (!CreateDirectoryW(full, NULL) && GetLastError() != ERROR_ALREADY_EXISTS) return FALSE;
  if (!GetModuleFileNameW(NULL, own, MAX_PATH - 32)) return FALSE;
  wcscpy(wcsrchr(own, L'\\') + 1, L"kernel-double.dll");
  swprintf(dll, MAX_PATH, L"%ls\\kernel-double.dll", full);
  /* Another process of this run may have it loaded already; then it is the same one. */
  return CopyFileW(own, dll, TRUE) || GetLastError() == ERROR_FILE_EXISTS;
}

static BOOL start(WCHAR *line, STARTUPINFOW *startup, HMODULE dll, PROCESS_INFORMATION *info) {
  typedef BOOL(WINAPI * first_token)(HANDLE *);
  first_token token_of = (first_token)(void *)GetProcAddress(dll, "BhDoubleFirstToken");
  HANDLE token = NULL;
  if (!token_of || !token_of(&token)) return FALSE;
  if (token) return CreateProcessAsUserW(token, NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, startup, info);
  return CreateProcessW(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, startup, info);
}

int wmain(int count, WCHAR **arguments);

int wmain(int count, WCHAR **arguments) {
  static WCHAR line[32768];
  WCHAR dll[MAX_PATH], *at = line;
  BOOL relayed = count > 2 && wcscmp(arguments[2], L"--relay") == 0;
  int first = relayed ? 4 : 3;
  if (count <= first || wcscmp(arguments[first - 1], L"--") != 0) {
    fprintf(stderr, "usage: double-run <state-directory> [--relay] -- <program> [argument ...]\n");
    return FAILED;
  }
  for (int i = first; i < count; i++) {
    if ((size_t)(at - line) + 2 * wcslen(arguments[i]) + 4 > 32768) return failure("command line");
    if (i > first) *at++ = L' ';
    at = quote(at, arguments[i]);
  }
  *at = 0;
  if (!prepare(arguments[1], dll)) return failure("state directory");
  HMODULE module = LoadLibraryW(dll);
  if (!module) return failure("kernel-double.dll");
  STARTUPINFOW startup = {.cb = sizeof(startup), .dwFlags = STARTF_USESTDHANDLES};
  SECURITY_ATTRIBUTES inherit = {sizeof(inherit), NULL, TRUE};
  PROCESS_INFORMATION info;
  relay pairs[2] = {{NULL, GetStdHandle(STD_OUTPUT_HANDLE)}, {NULL, GetStdHandle(STD_ERROR_HANDLE)}};
  HANDLE ends[2] = {pairs[0].to, pairs[1].to}, threads[2];
  for (int i = 0; relayed && i < 2; i++) {
    if (!CreatePipe(&pairs[i].from, &ends[i], &inherit, 0)) return failure("pipe");
    SetHandleInformation(pairs[i].from, HANDLE_FLAG_INHERIT, 0);
  }
  startup.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
  startup.hStdOutput = ends[0];
  startup.hStdError = ends[1];
  if (!start(line, &startup, module, &info)) return failure("program");
  for (int i = 0; relayed && i < 2; i++) {
    CloseHandle(ends[i]);
    threads[i] = CreateThread(NULL, 0, copy, &pairs[i], 0, NULL);
  }
  DWORD code = FAILED;
  WaitForSingleObject(info.hProcess, INFINITE);
  GetExitCodeProcess(info.hProcess, &code);
  /* Descendants may still hold the pipes; what they write after the program's end is nobody's. */
  if (relayed) WaitForMultipleObjects(2, threads, TRUE, 2000);
  ExitProcess(code);
}
