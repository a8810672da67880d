/*
 * Runs a command under the hook, as the launcher does: a job, the event pipe, a policy, a process that is born suspended, entered, resumed.
 * Nothing of the other walls.
 *
 *   hook-runner.exe [option...] [rule...] -- <command line>
 *
 * Options: held; wow64=report; timeout=<milliseconds>; answer=yes|no|never; damage=<byte offset in the policy>; slow=<milliseconds the
 * supervisor takes for each event>; stub=<system call whose code is changed before the hook comes>; outsider (a process that is not in the job
 * says hello too); unhooked (the control: nothing is injected). `%PIPE%` in the command line becomes the name of the event pipe.
 * Rule: `act,action,match` or `act,redirect,match,target`. Its id is its place.
 *
 * Standard output, one JSON value in each line: {"event":...}, {"ask":...}, {"kill":rule}, {"inject":error,"step":...}, and at the end
 * {"exit":code,"known":whether the command's process said hello}.
 */
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

#include "hook-frame.h"
#include "hook-policy.h"
#include "inject.h"
#include "launcher/events.h"
#include "launcher/hook-attempt.h"
#include "launcher/hook-policy-build.h"

struct run {
  HANDLE job;
  struct bh_events *events;
  CRITICAL_SECTION lock;
  const char *answer;
  DWORD slow;
};

static void put_text(const char *text) {
  putchar('"');
  for (; *text; text++) {
    if (*text == '"' || *text == '\\' || (unsigned char)*text < 32) printf("\\u%04x", (unsigned char)*text);
    else putchar(*text);
  }
  putchar('"');
}

static void put_event(const char *kind, const struct bh_hook_event *event) {
  printf("{\"%s\":{\"rule\":%d,\"on\":\"%s\",\"action\":\"%s\",\"pid\":%u,\"lost\":%u,\"program\":", kind, (int)event->rule, event->act,
         event->action, (unsigned)event->pid, (unsigned)event->lost);
  put_text(event->program);
  printf(",\"object\":");
  put_text(event->object);
  printf("}}\n");
}

static void on_event(void *context, const struct bh_hook_event *event) {
  struct run *run = context;
  put_event("event", event);
  if (run->slow) Sleep(run->slow);
}

static void on_ask(void *context, uint32_t question, const struct bh_hook_event *event) {
  struct run *run = context;
  put_event("ask", event);
  if (strcmp(run->answer, "never") != 0) bh_events_answer(run->events, question, strcmp(run->answer, "yes") == 0);
}

static void on_kill(void *context, uint32_t rule) {
  struct run *run = context;
  printf("{\"kill\":%u}\n", (unsigned)rule);
  TerminateJobObject(run->job, 137);
}

static char *narrow(const wchar_t *text) {
  const int size = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
  char *made = malloc((size_t)size);
  WideCharToMultiByte(CP_UTF8, 0, text, -1, made, size, NULL, NULL);
  return made;
}

static void fatal(const char *what, unsigned error) {
  printf("{\"fatal\":\"%s\",\"error\":%u}\n", what, error);
  exit(99);
}

static struct bh_hook_rule_text parse_rule(const wchar_t *given, uint32_t id) {
  char *text = narrow(given);
  struct bh_hook_rule_text rule = {.id = id, .on = text, .action = "", .match = "", .target = ""};
  const char **fields[] = {&rule.action, &rule.match, &rule.target};
  for (size_t i = 0; i < 3; i++) {
    char *comma = strchr(text, ',');
    if (!comma) break;
    *comma = 0;
    text = comma + 1;
    *fields[i] = text;
  }
  return rule;
}

static PSID user_of(HANDLE process) {
  HANDLE token;
  DWORD size = 0;
  if (!OpenProcessToken(process, TOKEN_QUERY, &token)) fatal("OpenProcessToken", GetLastError());
  GetTokenInformation(token, TokenUser, NULL, 0, &size);
  TOKEN_USER *user = malloc(size);
  if (!GetTokenInformation(token, TokenUser, user, size, &size)) fatal("GetTokenInformation", GetLastError());
  return user->User.Sid;
}

/* The probe's part: what it tries, in a runner that is itself the command of a runner. */
static void prove(char *acts) {
  char value[256];
  bh_hook_status(value, sizeof(value));
  printf("{\"status\":\"%s\"}\n", value);
  for (char *act = strtok(acts, "+"); act; act = strtok(NULL, "+")) printf("{\"proof\":\"%s\",\"error\":%u}\n", act, (unsigned)bh_hook_attempt(act));
  exit(0);
}

static void feature(const wchar_t *path) {
  char reason[256] = "";
  const uint32_t error = bh_hook_feature(path, reason, sizeof(reason));
  printf("{\"feature\":%u,\"reason\":\"%s\"}\n", (unsigned)error, reason);
  exit(0);
}

/* Everything behind ` -- `, as it was written, with the pipe's name. */
static wchar_t *command_line(const wchar_t *pipe) {
  static wchar_t line[32768];
  wchar_t *at = wcsstr(GetCommandLineW(), L" -- ");
  if (!at) return NULL;
  size_t length = 0;
  for (at += 4; *at && length < 32000;) {
    const bool gap = wcsncmp(at, L"%PIPE%", 6) == 0;
    if (gap) length += (size_t)swprintf(line + length, 32767 - length, L"%ls", pipe);
    else line[length++] = *at;
    at += gap ? 6 : 1;
  }
  return line;
}

/* `mov r10, rcx` in its other form: it works as before, but does not look like a stub any more. */
static void change_stub(HANDLE process, const char *name) {
  static const uint8_t other[3] = {0x49, 0x89, 0xca};
  void *at = (void *)GetProcAddress(GetModuleHandleW(L"ntdll.dll"), name);
  DWORD before;
  if (!at || !VirtualProtectEx(process, at, 3, PAGE_EXECUTE_READWRITE, &before) || !WriteProcessMemory(process, at, other, 3, NULL)) {
    fatal("changing a stub", GetLastError());
  }
}

static void be_outsider(const wchar_t *pipe) {
  uint8_t bytes[64], welcome = 0;
  DWORD done = 0;
  struct bh_hook_frame hello = {.type = BH_HOOK_HELLO, .version = BH_HOOK_POLICY_VERSION};
  const DWORD length = (DWORD)bh_hook_frame_write(&hello, bytes);
  HANDLE end = CreateFileW(pipe, FILE_READ_DATA | FILE_WRITE_DATA, 0, NULL, OPEN_EXISTING, 0, NULL);
  if (end == INVALID_HANDLE_VALUE) fatal("connecting as an outsider", GetLastError());
  const bool heard = WriteFile(end, bytes, length, &done, NULL) && ReadFile(end, &welcome, 1, &done, NULL) && done == 1;
  printf("{\"outsider\":%s}\n", heard ? "true" : "false");
  CloseHandle(end);
}

int wmain(int count, wchar_t **arguments);
int wmain(int count, wchar_t **arguments) {
  static struct bh_hook_rule_text rules[256];
  static wchar_t dll[MAX_PATH];
  size_t rule_count = 0, at_fault = 0;
  long damage = -1;
  bool unhooked = false, outsider = false;
  char *stub = NULL;
  struct run run = {.answer = "no"};
  struct bh_hook_options options = {.ask_timeout = 2000, .supervisor = GetCurrentProcessId()};
  setvbuf(stdout, NULL, _IOLBF, 4096);
  for (int i = 1; i < count && wcscmp(arguments[i], L"--") != 0; i++) {
    const wchar_t *a = arguments[i];
    if (wcschr(a, L',')) rules[rule_count] = parse_rule(a, (uint32_t)rule_count), rule_count++;
    else if (wcscmp(a, L"held") == 0) options.held = true;
    else if (wcscmp(a, L"unhooked") == 0) unhooked = true;
    else if (wcscmp(a, L"outsider") == 0) outsider = true;
    else if (wcsncmp(a, L"stub=", 5) == 0) stub = narrow(a + 5);
    else if (wcscmp(a, L"wow64=report") == 0) options.report_wow64 = true;
    else if (wcsncmp(a, L"timeout=", 8) == 0) options.ask_timeout = (uint32_t)_wtol(a + 8);
    else if (wcsncmp(a, L"answer=", 7) == 0) run.answer = narrow(a + 7);
    else if (wcsncmp(a, L"damage=", 7) == 0) damage = _wtol(a + 7);
    else if (wcsncmp(a, L"slow=", 5) == 0) run.slow = (DWORD)_wtol(a + 5);
    else if (wcsncmp(a, L"dll=", 4) == 0) wcscpy(dll, a + 4);
    else if (wcsncmp(a, L"prove=", 6) == 0) prove(narrow(a + 6));
    else if (wcsncmp(a, L"feature=", 8) == 0) feature(a + 8);
    else fatal("argument", (unsigned)i);
  }
  if (!dll[0]) {
    GetModuleFileNameW(NULL, dll, MAX_PATH);
    wcscpy(wcsrchr(dll, L'\\') + 1, L"bulkhead-hook.dll");
  }

  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE};
  run.job = CreateJobObjectW(NULL, NULL);
  SetInformationJobObject(run.job, JobObjectExtendedLimitInformation, &limits, sizeof(limits));
  const struct bh_events_handler handler = {&run, on_event, on_ask, on_kill};
  PSID user = user_of(GetCurrentProcess());
  uint32_t error = bh_events_open(run.job, user, user, &handler, &run.events);
  if (error) fatal("bh_events_open", error);
  options.pipe = (const uint16_t *)bh_events_pipe(run.events);
  options.dll = (const uint16_t *)dll;
  struct bh_blob blob;
  if (bh_hook_policy_build(rules, rule_count, &options, &blob.bytes, &blob.length, &at_fault) != 0) fatal("bh_hook_policy_build", (unsigned)at_fault);
  if (damage >= 0) blob.bytes[(size_t)damage < blob.length ? (size_t)damage : blob.length - 1] ^= 1;

  STARTUPINFOW startup = {.cb = sizeof(startup)};
  PROCESS_INFORMATION process;
  wchar_t *line = command_line(bh_events_pipe(run.events));
  if (!line) fatal("no command", 0);
  if (outsider) be_outsider(bh_events_pipe(run.events));
  if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &startup, &process)) fatal("CreateProcess", GetLastError());
  if (!AssignProcessToJobObject(run.job, process.hProcess)) fatal("AssignProcessToJobObject", GetLastError());
  if (stub) change_stub(process.hProcess, stub);
  const char *step = "";
  error = unhooked ? 0 : bh_inject(process.hProcess, process.hThread, dll, &blob, &step);
  if (error) {
    printf("{\"inject\":%u,\"step\":\"%s\"}\n", (unsigned)error, step);
    TerminateProcess(process.hProcess, BH_HOOK_EXIT_INJECT);
  }
  ResumeThread(process.hThread);
  WaitForSingleObject(process.hProcess, INFINITE);
  DWORD code = 0;
  GetExitCodeProcess(process.hProcess, &code);
  const bool known = bh_events_knows(run.events, process.dwProcessId);
  for (;;) {
    JOBOBJECT_BASIC_ACCOUNTING_INFORMATION info;
    if (!QueryInformationJobObject(run.job, JobObjectBasicAccountingInformation, &info, sizeof(info), NULL) || info.ActiveProcesses == 0) break;
    Sleep(20);
  }
  bh_events_close(run.events);
  printf("{\"exit\":%u,\"known\":%s}\n", (unsigned)code, known ? "true" : "false");
  return 0;
}
