#include "token.h"

#include <string.h>

static DWORD home(LUID id) {
  return (id.LowPart * 2654435761u) % BD_MAX_TOKENS;
}

static BOOL same(LUID one, LUID other) {
  return one.LowPart == other.LowPart && one.HighPart == other.HighPart;
}

/* A free place has owner 0; places are never emptied in between, only handed on, so that a search may stop at the first that was never used. */
static bd_token *find(LUID id) {
  for (DWORD i = 0; i < BD_MAX_TOKENS; i++) {
    bd_token *token = &bd_shared->tokens[(home(id) + i) % BD_MAX_TOKENS];
    if (!token->owner_pid) return NULL;
    if (same(token->id, id)) return token;
  }
  return NULL;
}

static bd_token *place(LUID id) {
  bd_token *free_one = find(id);
  for (DWORD i = 0; !free_one && i < BD_MAX_TOKENS; i++) {
    bd_token *token = &bd_shared->tokens[(home(id) + i) % BD_MAX_TOKENS];
    /* Asking whether a process lives costs a call: only where the table is crowded. */
    if (!token->owner_pid || (i >= 16 && !bd_alive(token->owner_pid))) free_one = token;
  }
  return free_one;
}

static NTSTATUS id_of(HANDLE token, TOKEN_STATISTICS *statistics) {
  ULONG size;
  HANDLE readable;
  NTSTATUS status = bd_real(NtQueryInformationToken)(token, TokenStatistics, statistics, sizeof(*statistics), &size);
  if (status != STATUS_ACCESS_DENIED) return status;
  /* A handle to assign or duplicate only. */
  status = bd_real(NtDuplicateObject)(GetCurrentProcess(), token, GetCurrentProcess(), &readable, TOKEN_QUERY, 0, 0);
  if (status) return status;
  status = bd_real(NtQueryInformationToken)(readable, TokenStatistics, statistics, sizeof(*statistics), &size);
  NtClose(readable);
  return status;
}

static NTSTATUS store(LUID id, const bd_token *record, DWORD pid) {
  bd_lock();
  bd_token *at = place(id);
  if (at) {
    *at = *record;
    at->id = id;
    at->owner_pid = pid;
    at->privileges = 0;
  }
  bd_unlock();
  return at ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS bd_token_bind(HANDLE token, bd_token *record, DWORD pid) {
  TOKEN_STATISTICS statistics;
  NTSTATUS status = id_of(token, &statistics);
  if (status) return status;
  record->id = statistics.TokenId;
  return store(statistics.TokenId, record, pid);
}

void bd_token_object(const bd_token *record, bd_sd *sd) {
  *sd = record->has_object ? record->object : record->default_dacl;
  if (!record->has_object) sd->owner = record->owner;
  sd->has_label = 1;
  sd->label_rid = record->integrity;
  sd->label_policy = SYSTEM_MANDATORY_LABEL_NO_WRITE_UP;
}

NTSTATUS bd_token_object_store(HANDLE token, const bd_sd *sd) {
  bd_token record;
  NTSTATUS status = bd_token_of(token, &record);
  if (status) return status;
  record.has_object = 1;
  record.object = *sd;
  return bd_token_bind(token, &record, record.owner_pid);
}

/** SYSTEM, the owner and the logon session, as in a token that the system made. */
static void usual_dacl(bd_token *record) {
  const bd_sid system = bd_sid_make(5, 1, 18u);
  bd_sd *dacl = &record->default_dacl;
  memset(dacl, 0, sizeof(*dacl));
  bd_add_ace(dacl, BD_ACE_ALLOW, 0, GENERIC_ALL, &record->owner);
  bd_add_ace(dacl, BD_ACE_ALLOW, 0, GENERIC_ALL, &system);
  for (DWORD i = 0; i < record->group_count; i++) {
    if ((record->groups[i].attributes & SE_GROUP_LOGON_ID) != SE_GROUP_LOGON_ID) continue;
    bd_add_ace(dacl, BD_ACE_ALLOW, 0, GENERIC_READ | GENERIC_EXECUTE, &record->groups[i].sid);
  }
}

/** What Wine itself says about a token that the double has not seen made: those that were there before it. */
static NTSTATUS first_record(HANDLE token, bd_token *record) {
  BYTE buffer[4096];
  ULONG size;
  const bd_sid administrators = bd_sid_make(5, 2, 32u, 544u);
  memset(record, 0, sizeof(*record));
  NTSTATUS status = bd_real(NtQueryInformationToken)(token, TokenUser, buffer, sizeof(buffer), &size);
  if (status) return status;
  bd_sid_from(&record->user, ((TOKEN_USER *)buffer)->User.Sid);
  status = bd_real(NtQueryInformationToken)(token, TokenGroups, buffer, sizeof(buffer), &size);
  if (status) return status;
  const TOKEN_GROUPS *groups = (const void *)buffer;
  record->elevation = TokenElevationTypeLimited;
  for (DWORD i = 0; i < groups->GroupCount && i < BD_MAX_GROUPS; i++) {
    bd_group *group = &record->groups[record->group_count++];
    bd_sid_from(&group->sid, groups->Groups[i].Sid);
    group->attributes = groups->Groups[i].Attributes;
    if (bd_sid_equal(&group->sid, &administrators) && (group->attributes & SE_GROUP_ENABLED)) record->elevation = TokenElevationTypeFull;
  }
  status = bd_real(NtQueryInformationToken)(token, TokenPrimaryGroup, buffer, sizeof(buffer), &size);
  if (!status) bd_sid_from(&record->primary_group, ((TOKEN_PRIMARY_GROUP *)buffer)->PrimaryGroup);
  record->integrity = record->elevation == TokenElevationTypeFull ? SECURITY_MANDATORY_HIGH_RID : SECURITY_MANDATORY_MEDIUM_RID;
  record->owner = record->elevation == TokenElevationTypeFull ? administrators : record->user;
  usual_dacl(record);
  return STATUS_SUCCESS;
}

NTSTATUS bd_token_of(HANDLE token, bd_token *record) {
  TOKEN_STATISTICS statistics;
  NTSTATUS status = id_of(token, &statistics);
  if (status) return status;
  bd_lock();
  const bd_token *known = find(statistics.TokenId);
  if (known) *record = *known;
  bd_unlock();
  if (known) return STATUS_SUCCESS;
  status = first_record(token, record);
  record->id = statistics.TokenId;
  return status ? status : store(statistics.TokenId, record, GetCurrentProcessId());
}

NTSTATUS bd_token_of_process(HANDLE process, bd_token *record) {
  HANDLE token;
  NTSTATUS status = bd_real(NtOpenProcessToken)(process, TOKEN_QUERY, &token);
  if (status) return status;
  status = bd_token_of(token, record);
  NtClose(token);
  return status;
}

static NTSTATUS caller_handle(HANDLE *token) {
  NTSTATUS status = bd_real(NtOpenThreadToken)(GetCurrentThread(), TOKEN_QUERY, TRUE, token);
  return status == STATUS_NO_TOKEN ? bd_real(NtOpenProcessToken)(GetCurrentProcess(), TOKEN_QUERY, token) : status;
}

NTSTATUS bd_token_caller(bd_token *record) {
  HANDLE token;
  NTSTATUS status = caller_handle(&token);
  if (status) return status;
  status = bd_token_of(token, record);
  NtClose(token);
  return status;
}

void bd_token_privileges(HANDLE token, bd_token *record) {
  BYTE buffer[1024];
  const TOKEN_PRIVILEGES *list = (const void *)buffer;
  ULONG size;
  record->privileges = 0;
  if (bd_real(NtQueryInformationToken)(token, TokenPrivileges, buffer, sizeof(buffer), &size)) return;
  for (DWORD i = 0; i < list->PrivilegeCount; i++) {
    if ((list->Privileges[i].Attributes & SE_PRIVILEGE_ENABLED) && list->Privileges[i].Luid.LowPart < 64) {
      record->privileges |= BD_PRIVILEGE(list->Privileges[i].Luid.LowPart);
    }
  }
}

void bd_token_caller_privileges(bd_token *record) {
  HANDLE token;
  if (caller_handle(&token)) return;
  bd_token_privileges(token, record);
  NtClose(token);
}

NTSTATUS bd_token_ordinary(HANDLE *token) {
  static const DWORD keep[] = {19 /* SeShutdown */, 23 /* SeChangeNotify */, 25 /* SeUndock */, 33 /* SeIncreaseWorkingSet */, 34 /* SeTimeZone */};
  BYTE buffer[1024];
  TOKEN_PRIVILEGES *privileges = (void *)buffer;
  bd_sid administrators = bd_sid_make(5, 2, 32u, 544u);
  TOKEN_GROUPS disable = {1, {{administrators.bytes, 0}}};
  HANDLE own;
  ULONG size;
  DWORD count = 0;
  NTSTATUS status = bd_real(NtOpenProcessToken)(GetCurrentProcess(), TOKEN_ALL_ACCESS, &own);
  if (status) return status;
  status = bd_real(NtQueryInformationToken)(own, TokenPrivileges, buffer, sizeof(buffer), &size);
  for (DWORD i = 0; !status && i < privileges->PrivilegeCount; i++) {
    BOOL kept = FALSE;
    for (size_t k = 0; k < sizeof(keep) / sizeof(keep[0]); k++) kept |= privileges->Privileges[i].Luid.LowPart == keep[k];
    if (!kept) privileges->Privileges[count++] = privileges->Privileges[i];
  }
  privileges->PrivilegeCount = count;
  if (!status) status = bd_real(NtFilterToken)(own, 0, &disable, privileges, NULL, token);
  NtClose(own);
  return status;
}

void bd_token_real_dacl(HANDLE token, const bd_token *record) {
  bd_sd dacl = record->default_dacl;
  BYTE buffer[4096];
  TOKEN_DEFAULT_DACL info = {(ACL *)buffer};
  HANDLE writable;
  bd_add_ace(&dacl, BD_ACE_ALLOW, 0, GENERIC_ALL, &bd_shared->machine_user);
  bd_acl_to(&dacl, buffer, sizeof(buffer));
  if (bd_real(NtDuplicateObject)(GetCurrentProcess(), token, GetCurrentProcess(), &writable, TOKEN_ADJUST_DEFAULT, 0, 0)) return;
  bd_real(NtSetInformationToken)(writable, TokenDefaultDacl, &info, sizeof(info));
  NtClose(writable);
}
