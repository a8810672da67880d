/* Entry of kernel-double.dll. See ../README.md. */
#include "../common/record.h"
#include "accounts.h"
#include "config.h"
#include "file.h"
#include "hook.h"
#include "logs.h"
#include "process.h"
#include "security.h"
#include "token.h"

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, void *reserved);

static void fail(const char *what, int number) {
  DWORD written;
  char text[200];
  int length = wsprintfA(text, "kernel-double: %s (%d) failed in process %u\n", what, number, GetCurrentProcessId());
  WriteFile(GetStdHandle(STD_ERROR_HANDLE), text, (DWORD)length, &written, NULL);
  /* A process that should be confined and is not must not go on. */
  TerminateProcess(GetCurrentProcess(), 0xC0DE0001u);
}

static BOOL noted(void) {
  for (DWORD i = 0; i < bd_shared->process_count; i++) {
    if (bd_shared->processes[i].pid == GetCurrentProcessId()) return TRUE;
  }
  return FALSE;
}

/** What is bound to processes and tokens ends with the last process; numbers start again when the server does. Files and accounts stay. */
static void forget_the_dead(void) {
  for (DWORD i = 0; i < bd_shared->process_count; i++) {
    if (bd_alive(bd_shared->processes[i].pid)) return;
  }
  /* Writing to a page that was never used would make the file grow by it. */
  for (DWORD i = 0; i < BD_MAX_TOKENS; i++) {
    if (bd_shared->tokens[i].owner_pid) bd_shared->tokens[i].owner_pid = 0;
  }
  for (DWORD i = 0; i < bd_shared->process_count; i++) bd_shared->processes[i].pid = 0;
  for (DWORD i = 0; i < bd_shared->object_count; i++) bd_shared->objects[i].owner_pid = 0;
  bd_shared->process_count = bd_shared->object_count = 0;
}

/** A child was noted by its parent. The first process of a run was not. */
static BOOL begin(int *line) {
  bd_token token;
  if (noted()) return TRUE;
  forget_the_dead();
  if (bd_token_of_process(GetCurrentProcess(), &token)) return FALSE;
  bd_shared->machine_user = token.user;
  return bd_configure(line) && bd_process_note(GetCurrentProcessId(), &token, NULL, NULL) == STATUS_SUCCESS;
}

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, void *reserved) {
  int line = 0;
  (void)reserved;
  if (reason != DLL_PROCESS_ATTACH) return TRUE;
  if (!bd_state_open(module)) fail("state", 0);
  else if (!bd_record_open(bd_directory)) fail("records", 0);
  else if (!bd_hook_prepare()) fail("hooks", 0);
  else if (!bd_prefix_find(bd_shared->prefix)) fail("prefix", 0);
  else if (!begin(&line)) fail("double.conf, line", line);
  else if (!bd_named_security_install() || !bd_accounts_install() || !bd_lookup_install() || !bd_logon_install() || !bd_desktop_install()) fail("replacements", 0);
  else bd_hook_install();
  return TRUE;
}
