#include "watch.h"

#include <stdio.h>
#include <stdlib.h>

#include "hook-policy-build.h"
#include "sid.h"

int bh_watch_dll(wchar_t dll[MAX_PATH + 32], struct bh_fault *fault) {
  const DWORD length = GetModuleFileNameW(NULL, dll, MAX_PATH);
  wchar_t *name = length > 0 && length < MAX_PATH ? wcsrchr(dll, L'\\') : NULL;
  if (!name) return bh_fault(fault, length == 0 ? 0 : ERROR_FILENAME_EXCED_RANGE, "finding the hook", NULL);
  wcscpy(name, L"\\bulkhead-hook.dll");
  return 0;
}

static int build(struct bh_watch *watch, const struct bh_spec *spec, bool asleep, struct bh_blob *blob, struct bh_fault *fault) {
  const struct bh_hook_options options = {.held = asleep,
                                          .report_wow64 = spec->wow64 == BH_WOW64_REPORT,
                                          .ask_timeout = spec->ask_timeout,
                                          .supervisor = GetCurrentProcessId(),
                                          .pipe = (const uint16_t *)bh_events_pipe(watch->events),
                                          .dll = (const uint16_t *)watch->dll};
  size_t rule = 0;
  if (bh_hook_policy_build(spec->rules, spec->rule_count, &options, &blob->bytes, &blob->length, &rule) == 0) return 0;
  char number[24];
  snprintf(number, sizeof(number), "%llu", (unsigned long long)rule);
  return bh_fault(fault, ERROR_INVALID_DATA, "policy of the hook, rule", number);
}

static int open_pipe(struct bh_watch *watch, const struct bh_spec *spec, HANDLE job, const struct bh_events_handler *handler,
                  struct bh_fault *fault) {
  HANDLE token = NULL;
  PSID user = NULL, launch = NULL;
  if (OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) user = bh_sid_of_user(token);
  if (spec->has_token) launch = bh_sid_from_text(spec->launch_sid);
  uint32_t error = user && (launch || !spec->has_token) ? 0 : GetLastError();
  if (error == 0) error = bh_events_open(job, launch ? launch : user, user, handler, &watch->events);
  LocalFree(launch);
  free(user);
  if (token) CloseHandle(token);
  return error == 0 ? 0 : bh_fault(fault, error, "event pipe of the hook", NULL);
}

int bh_watch_open(struct bh_watch *watch, const struct bh_spec *spec, HANDLE job, const struct bh_events_handler *handler, struct bh_fault *fault) {
  *watch = (struct bh_watch){0};
  if (!spec->has_hook) return 0;
  if (bh_watch_dll(watch->dll, fault) < 0 || open_pipe(watch, spec, job, handler, fault) < 0) return -1;
  return build(watch, spec, true, &watch->asleep, fault) < 0 ? -1 : build(watch, spec, false, &watch->awake, fault);
}

int bh_watch_enter(const struct bh_watch *watch, const PROCESS_INFORMATION *process, bool asleep, struct bh_fault *fault) {
  const char *step = "";
  if (!watch->events) return 0;
  const uint32_t error = bh_inject(process->hProcess, process->hThread, watch->dll, asleep ? &watch->asleep : &watch->awake, &step);
  return error == 0 ? 0 : bh_fault(fault, error, "bringing the hook in:", step);
}

void bh_watch_answer(const struct bh_watch *watch, uint32_t question, bool allow) {
  if (watch->events) bh_events_answer(watch->events, question, allow);
}

void bh_watch_close(struct bh_watch *watch) {
  if (watch->events) bh_events_close(watch->events);
  free(watch->asleep.bytes);
  free(watch->awake.bytes);
  *watch = (struct bh_watch){0};
}
