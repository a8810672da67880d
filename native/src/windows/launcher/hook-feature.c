#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

#include "../inject.h"
#include "events.h"
#include "hook-attempt.h"
#include "hook-policy-build.h"

static void no_event(void *context, const struct bh_hook_event *event) {
  (void)context;
  (void)event;
}

static void no_question(void *context, uint32_t question, const struct bh_hook_event *event) {
  (void)context;
  (void)question;
  (void)event;
}

static void no_kill(void *context, uint32_t rule) {
  (void)context;
  (void)rule;
}

static uint32_t failed(char *reason, size_t size, const char *step, uint32_t error) {
  snprintf(reason, size, "%s", step);
  return error != 0 ? error : ERROR_GEN_FAILURE;
}

/* A rule for each act: everything that can be hooked must be. */
static uint32_t build(const struct bh_events *events, const wchar_t *dll, struct bh_blob *blob) {
  struct bh_hook_rule_text rules[BH_HOOK_ACTS];
  size_t at_fault;
  for (unsigned i = 0; i < BH_HOOK_ACTS; i++) {
    rules[i] = (struct bh_hook_rule_text){.id = i, .on = bh_hook_act_name(i), .action = "deny", .match = "**", .target = ""};
  }
  const struct bh_hook_options options = {.held = true,
                                          .supervisor = GetCurrentProcessId(),
                                          .pipe = (const uint16_t *)bh_events_pipe(events),
                                          .dll = (const uint16_t *)dll};
  return bh_hook_policy_build(rules, BH_HOOK_ACTS, &options, &blob->bytes, &blob->length, &at_fault) == 0 ? 0 : ERROR_INVALID_DATA;
}

/* Any program of the system will do: it is never resumed. */
static uint32_t start_suspended(PROCESS_INFORMATION *process) {
  wchar_t program[MAX_PATH + 16];
  STARTUPINFOW startup = {.cb = sizeof(startup)};
  const UINT length = GetSystemDirectoryW(program, MAX_PATH);
  if (length == 0 || length > MAX_PATH) return GetLastError();
  wcscpy(program + length, L"\\cmd.exe");
  const DWORD flags = CREATE_SUSPENDED | CREATE_NO_WINDOW;
  return CreateProcessW(program, NULL, NULL, NULL, FALSE, flags, NULL, NULL, &startup, process) ? 0 : GetLastError();
}

static uint32_t try_in(HANDLE job, struct bh_events *events, const wchar_t *dll, char *reason, size_t size) {
  struct bh_blob blob;
  PROCESS_INFORMATION process;
  const char *step = "";
  uint32_t error = build(events, dll, &blob);
  if (error != 0) return failed(reason, size, "making a policy", error);
  error = start_suspended(&process);
  if (error != 0) {
    error = failed(reason, size, "starting a process", error);
  } else {
    error = AssignProcessToJobObject(job, process.hProcess) ? bh_inject(process.hProcess, process.hThread, dll, &blob, &step) : GetLastError();
    if (error != 0) error = failed(reason, size, step[0] ? step : "putting a process into a job", error);
    TerminateProcess(process.hProcess, 0);
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
  }
  free(blob.bytes);
  return error;
}

uint32_t bh_hook_feature(const wchar_t *dll, char *reason, size_t size) {
  BYTE user[SECURITY_MAX_SID_SIZE + sizeof(TOKEN_USER)];
  DWORD length = 0;
  HANDLE token = NULL;
  struct bh_events *events = NULL;
  const struct bh_events_handler handler = {NULL, no_event, no_question, no_kill};
  HANDLE job = CreateJobObjectW(NULL, NULL);
  uint32_t error = 0;
  if (!job || !OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token) ||
      !GetTokenInformation(token, TokenUser, user, sizeof(user), &length)) {
    error = failed(reason, size, "asking for the user", GetLastError());
  }
  if (error == 0) {
    const PSID sid = ((TOKEN_USER *)(void *)user)->User.Sid;
    error = bh_events_open(job, sid, sid, &handler, &events);
    if (error != 0) error = failed(reason, size, "opening the event pipe", error);
  }
  if (error == 0) error = try_in(job, events, dll, reason, size);
  if (events) bh_events_close(events);
  if (token) CloseHandle(token);
  if (job) CloseHandle(job);
  return error;
}
