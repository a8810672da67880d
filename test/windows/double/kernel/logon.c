/* Logging on: tokens of accounts, LogonUserW, CreateProcessWithLogonW. */
#include "../common/record.h"
#include "accounts.h"
#include "patch.h"
#include "profile.h"
#include "token.h"

#include <lm.h>
#include <string.h>
#include <wchar.h>

static void add_group(bd_token *record, bd_sid sid, DWORD attributes) {
  if (record->group_count == BD_MAX_GROUPS) return;
  record->groups[record->group_count].sid = sid;
  record->groups[record->group_count++].attributes = attributes;
}

/** "How the secondary logon service does it": the new token carries the caller's logon SID, so that it may use the caller's desktop. */
static void take_logon_sid(bd_token *record, const bd_token *caller) {
  for (DWORD i = 0; i < caller->group_count; i++) {
    if ((caller->groups[i].attributes & SE_GROUP_LOGON_ID) == SE_GROUP_LOGON_ID) add_group(record, caller->groups[i].sid, caller->groups[i].attributes);
  }
}

/** Under the lock. */
static void describe(const bd_account *account, BOOL interactive, const bd_token *caller, bd_token *record) {
  const DWORD usual = SE_GROUP_MANDATORY | SE_GROUP_ENABLED_BY_DEFAULT | SE_GROUP_ENABLED;
  const bd_sid system = bd_sid_make(5, 1, 18u);
  memset(record, 0, sizeof(*record));
  record->user = record->owner = bd_account_sid(account);
  record->primary_group = bd_sid_make(5, 5, 21u, 0u, 0u, 0u, 513u);
  record->flags = BD_TOKEN_ACCOUNT;
  record->integrity = SECURITY_MANDATORY_MEDIUM_RID;
  record->elevation = TokenElevationTypeDefault;
  record->lineage = account->rid;
  add_group(record, record->primary_group, usual);
  add_group(record, bd_sid_make(1, 1, 0u), usual);
  add_group(record, bd_sid_make(5, 1, 113u), usual); /* Local account */
  for (int i = 0; i < BD_MAX_LOCAL_GROUPS; i++) {
    const bd_local_group *group = &bd_shared->groups[i];
    if (group->used && bd_group_has(group, &record->user)) add_group(record, group->sid, usual);
  }
  add_group(record, bd_sid_make(5, 1, interactive ? 4u : 3u), usual);
  add_group(record, bd_sid_make(5, 1, 11u), usual);
  add_group(record, bd_sid_make(5, 1, 15u), usual);
  add_group(record, bd_sid_make(2, 1, 0u), usual);
  take_logon_sid(record, caller);
  bd_add_ace(&record->default_dacl, BD_ACE_ALLOW, 0, GENERIC_ALL, &record->user);
  bd_add_ace(&record->default_dacl, BD_ACE_ALLOW, 0, GENERIC_ALL, &system);
  for (DWORD i = 0; i < record->group_count; i++) {
    if ((record->groups[i].attributes & SE_GROUP_LOGON_ID) != SE_GROUP_LOGON_ID) continue;
    bd_add_ace(&record->default_dacl, BD_ACE_ALLOW, 0, GENERIC_READ | GENERIC_EXECUTE, &record->groups[i].sid);
  }
}

/** A right counts when the account or one of its groups has it. */
static BOOL any_has(const bd_token *record, const WCHAR *right) {
  if (bd_has_right(&record->user, right)) return TRUE;
  for (DWORD i = 0; i < record->group_count; i++) {
    if (bd_has_right(&record->groups[i].sid, right)) return TRUE;
  }
  return FALSE;
}

static DWORD check_and_describe(const WCHAR *name, const WCHAR *password, BOOL interactive, const bd_token *caller, bd_token *record) {
  const bd_account *account = bd_account_named(name);
  if (!account || !password || wcscmp(account->password, password) != 0) return ERROR_LOGON_FAILURE;
  if (account->flags & UF_ACCOUNTDISABLE) return ERROR_ACCOUNT_DISABLED;
  describe(account, interactive, caller, record);
  const WCHAR *allow = interactive ? L"SeInteractiveLogonRight" : L"SeNetworkLogonRight";
  const WCHAR *deny = interactive ? L"SeDenyInteractiveLogonRight" : L"SeDenyNetworkLogonRight";
  /* "Access this computer from the network" is Everyone's. */
  if (any_has(record, deny) || (interactive && !any_has(record, allow))) return ERROR_LOGON_TYPE_NOT_GRANTED;
  return 0;
}

DWORD bd_logon(const WCHAR *name, const WCHAR *domain, const WCHAR *password, BOOL interactive, HANDLE *token) {
  WCHAR full[128];
  bd_token caller, record;
  if (!name || wcslen(name) > 64 || (domain && wcslen(domain) > 60)) return ERROR_INVALID_PARAMETER;
  wcscpy(full, domain ? domain : L"");
  if (domain && domain[0]) wcscat(full, L"\\");
  wcscat(full, name);
  bd_frame frame = bd_enter();
  DWORD error = bd_token_caller(&caller) ? ERROR_ACCESS_DENIED : 0;
  bd_lock();
  if (!error) error = check_and_describe(full, password, interactive, &caller, &record);
  bd_unlock();
  if (!error) error = RtlNtStatusToDosError(bd_token_ordinary(token));
  if (!error) {
    error = RtlNtStatusToDosError(bd_token_bind(*token, &record, GetCurrentProcessId()));
    if (error) NtClose(*token);
    else bd_token_real_dacl(*token, &record);
  }
  bd_leave(frame);
  return error;
}

static BOOL WINAPI logon_user(LPCWSTR name, LPCWSTR domain, LPCWSTR password, DWORD type, DWORD provider, PHANDLE token) {
  bd_record record;
  bd_record_begin(&record, "LogonUserW");
  bd_put_wide(&record, "name", name, -1);
  bd_put_wide(&record, "domain", domain, -1);
  bd_put_number(&record, "passwordLength", password ? wcslen(password) : 0);
  bd_put_number(&record, "type", type);
  bd_put_number(&record, "provider", provider);
  DWORD error = record.injected ? record.result : bd_logon(name, domain, password, type != LOGON32_LOGON_NETWORK, token);
  bd_record_end(&record, error);
  SetLastError(error);
  return error == 0;
}

static BOOL WINAPI create_with_logon(LPCWSTR name, LPCWSTR domain, LPCWSTR password, DWORD logon_flags, LPCWSTR application, LPWSTR line, DWORD flags,
                                     LPVOID environment, LPCWSTR directory, LPSTARTUPINFOW startup, LPPROCESS_INFORMATION info) {
  bd_record record;
  HANDLE token = NULL;
  WCHAR *own_environment = NULL;
  bd_record_begin(&record, "CreateProcessWithLogonW");
  bd_put_wide(&record, "name", name, -1);
  bd_put_wide(&record, "domain", domain, -1);
  bd_put_number(&record, "passwordLength", password ? wcslen(password) : 0);
  bd_put_hex(&record, "logonFlags", logon_flags);
  bd_put_wide(&record, "application", application, -1);
  bd_put_wide(&record, "line", line, -1);
  bd_put_hex(&record, "flags", flags);
  bd_put_bool(&record, "environment", environment != NULL);
  bd_put_wide(&record, "directory", directory, -1);
  bd_put_wide(&record, "desktop", startup ? startup->lpDesktop : NULL, -1);
  DWORD error = record.injected ? record.result : 0;
  /* "CreateProcessWithLogonW": the command line is at most 1024 characters, and the secondary logon service knows no extended startup information. */
  if (!error && line && wcslen(line) > 1024) error = ERROR_INVALID_PARAMETER;
  if (!error && (flags & EXTENDED_STARTUPINFO_PRESENT)) error = ERROR_INVALID_PARAMETER;
  if (!error) error = bd_logon(name, domain, password, TRUE, &token);
  if (!error) error = bd_profile_prepare(token, (logon_flags & LOGON_WITH_PROFILE) != 0, environment ? NULL : &own_environment);
  if (!error) {
    DWORD all = flags | (environment ? 0 : CREATE_UNICODE_ENVIRONMENT);
    bd_thread_set(BD_THREAD_SERVICE, TRUE);
    BOOL good = CreateProcessAsUserW(token, application, line, NULL, NULL, FALSE, all, environment ? environment : own_environment, directory, startup, info);
    error = good ? 0 : GetLastError();
    bd_thread_set(BD_THREAD_SERVICE, FALSE);
  }
  if (token) CloseHandle(token);
  HeapFree(GetProcessHeap(), 0, own_environment);
  bd_record_end(&record, error);
  SetLastError(error);
  return error == 0;
}

static const bd_replacement replacements[] = {
    {"advapi32.dll", "LogonUserW", (void *)logon_user, NULL},
    {"advapi32.dll", "CreateProcessWithLogonW", (void *)create_with_logon, NULL},
};

BOOL bd_logon_install(void) {
  return bd_patch(replacements, sizeof(replacements) / sizeof(replacements[0])) && bd_profile_install();
}
