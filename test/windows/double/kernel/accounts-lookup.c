/* advapi32: names of accounts, and the policy of who may log on how. */
#include "../common/record.h"
#include "accounts.h"
#include "patch.h"
#include "token.h"

#include <ntsecapi.h>
#include <string.h>
#include <wchar.h>

typedef BOOL(WINAPI *sid_call)(LPCWSTR, PSID, LPWSTR, LPDWORD, LPWSTR, LPDWORD, PSID_NAME_USE);
typedef BOOL(WINAPI *name_call)(LPCWSTR, LPCWSTR, PSID, LPDWORD, LPWSTR, LPDWORD, PSID_NAME_USE);
typedef BOOL(WINAPI *user_call)(LPWSTR, LPDWORD);

static void *original_sid, *original_name, *original_user;

/** Copies with the length rules of LookupAccountSid: needed lengths include the terminator, lengths of what was copied do not. */
static BOOL give(const WCHAR *text, WCHAR *buffer, DWORD *length) {
  DWORD need = (DWORD)wcslen(text) + 1;
  if (!buffer || *length < need) {
    *length = need;
    return FALSE;
  }
  wcscpy(buffer, text);
  *length = need - 1;
  return TRUE;
}

static void machine_name(WCHAR name[MAX_COMPUTERNAME_LENGTH + 1]) {
  DWORD length = MAX_COMPUTERNAME_LENGTH + 1;
  if (!GetComputerNameW(name, &length)) wcscpy(name, L"MACHINE");
}

static BOOL WINAPI lookup_sid(LPCWSTR system, PSID sid, LPWSTR name, LPDWORD length, LPWSTR domain, LPDWORD domain_length, PSID_NAME_USE use) {
  WCHAR found[260] = L"", machine[MAX_COMPUTERNAME_LENGTH + 1];
  SID_NAME_USE kind = SidTypeUser;
  bd_sid own;
  if (bd_sid_from(&own, sid)) {
    bd_lock();
    const bd_account *account = bd_account_with(&own);
    const bd_local_group *group = account ? NULL : bd_group_with(&own);
    if (account) wcscpy(found, account->name);
    if (group && group->sid.bytes[1] > 2) {
      wcscpy(found, group->name);
      kind = SidTypeAlias;
    }
    bd_unlock();
  }
  if (!found[0]) return ((sid_call)original_sid)(system, sid, name, length, domain, domain_length, use);
  machine_name(machine);
  BOOL fits = give(found, name, length);
  if (!give(machine, domain, domain_length) || !fits) {
    SetLastError(ERROR_INSUFFICIENT_BUFFER);
    return FALSE;
  }
  *use = kind;
  return TRUE;
}

static BOOL WINAPI lookup_name(LPCWSTR system, LPCWSTR name, PSID sid, LPDWORD size, LPWSTR domain, LPDWORD domain_length, PSID_NAME_USE use) {
  WCHAR machine[MAX_COMPUTERNAME_LENGTH + 1];
  bd_sid found;
  SID_NAME_USE kind = SidTypeUser;
  memset(&found, 0, sizeof(found));
  bd_lock();
  const bd_account *account = bd_account_named(name);
  const bd_local_group *group = account ? NULL : bd_group_named(name);
  if (account) found = bd_account_sid(account);
  if (group && group->sid.bytes[1] > 2) {
    found = group->sid;
    kind = SidTypeAlias;
  }
  bd_unlock();
  if (bd_sid_none(&found)) return ((name_call)original_name)(system, name, sid, size, domain, domain_length, use);
  machine_name(machine);
  DWORD need = bd_sid_length(&found);
  BOOL fits = sid && *size >= need;
  *size = need;
  if (!give(machine, domain, domain_length) || !fits) {
    SetLastError(ERROR_INSUFFICIENT_BUFFER);
    return FALSE;
  }
  memcpy(sid, found.bytes, need);
  *use = kind;
  return TRUE;
}

/** The name of the account that the process runs under. */
static BOOL WINAPI user_name(LPWSTR name, LPDWORD size) {
  bd_token caller;
  WCHAR found[24] = L"";
  bd_frame frame = bd_enter();
  if (!bd_token_caller(&caller) && (caller.flags & BD_TOKEN_ACCOUNT)) {
    bd_lock();
    const bd_account *account = bd_account_with(&caller.user);
    if (account) wcscpy(found, account->name);
    bd_unlock();
  }
  bd_leave(frame);
  if (!found[0]) return ((user_call)original_user)(name, size);
  DWORD need = (DWORD)wcslen(found) + 1;
  BOOL fits = name && *size >= need;
  *size = need;
  if (fits) wcscpy(name, found);
  else SetLastError(ERROR_INSUFFICIENT_BUFFER);
  return fits;
}

#define POLICY_HANDLE ((LSA_HANDLE)(ULONG_PTR)0x0b0d0001)

static NTSTATUS NTAPI open_policy(PLSA_UNICODE_STRING system, PLSA_OBJECT_ATTRIBUTES attributes, ACCESS_MASK access, PLSA_HANDLE policy) {
  bd_record record;
  (void)attributes;
  bd_record_begin(&record, "LsaOpenPolicy");
  bd_put_hex(&record, "access", access);
  NTSTATUS status = record.injected ? (NTSTATUS)record.result : system && system->Length ? STATUS_NOT_SUPPORTED : STATUS_SUCCESS;
  /* Everybody may look names up; the rest is for administrators. */
  if (!status && (access & ~(ACCESS_MASK)(POLICY_LOOKUP_NAMES | POLICY_VIEW_LOCAL_INFORMATION)) && !bd_caller_is_administrator()) status = STATUS_ACCESS_DENIED;
  if (!status) *policy = POLICY_HANDLE;
  bd_record_end(&record, (DWORD)status);
  return status;
}

static NTSTATUS NTAPI close_policy(LSA_HANDLE handle) {
  (void)handle;
  return STATUS_SUCCESS;
}

static NTSTATUS add_right(bd_rights *rights, const LSA_UNICODE_STRING *name) {
  size_t length = name->Length / sizeof(WCHAR);
  if (length >= 48) return STATUS_NO_SUCH_PRIVILEGE;
  for (DWORD i = 0; i < rights->count; i++) {
    if (wcslen(rights->names[i]) == length && _wcsnicmp(rights->names[i], name->Buffer, length) == 0) return STATUS_SUCCESS;
  }
  if (rights->count == BD_RIGHTS_EACH) return STATUS_INSUFFICIENT_RESOURCES;
  memcpy(rights->names[rights->count], name->Buffer, length * sizeof(WCHAR));
  rights->names[rights->count++][length] = 0;
  return STATUS_SUCCESS;
}

static void put_rights(bd_record *record, PSID sid, PLSA_UNICODE_STRING rights, ULONG count) {
  bd_put_sid(record, "sid", sid);
  bd_put_open(record, "rights", '[');
  for (ULONG i = 0; i < count; i++) bd_put_wide(record, NULL, rights[i].Buffer, rights[i].Length / 2);
  bd_put_close(record, ']');
}

static NTSTATUS NTAPI add_rights(LSA_HANDLE policy, PSID sid, PLSA_UNICODE_STRING rights, ULONG count) {
  bd_record record;
  bd_sid own;
  (void)policy;
  bd_record_begin(&record, "LsaAddAccountRights");
  put_rights(&record, sid, rights, count);
  NTSTATUS status = record.injected ? (NTSTATUS)record.result : bd_sid_from(&own, sid) ? STATUS_SUCCESS : STATUS_INVALID_SID;
  if (!status && !bd_caller_is_administrator()) status = STATUS_ACCESS_DENIED;
  bd_lock();
  bd_rights *entry = status ? NULL : bd_rights_of(&own, TRUE);
  if (!status && !entry) status = STATUS_INSUFFICIENT_RESOURCES;
  for (ULONG i = 0; !status && i < count; i++) status = add_right(entry, &rights[i]);
  bd_unlock();
  bd_record_end(&record, (DWORD)status);
  return status;
}

static NTSTATUS NTAPI remove_rights(LSA_HANDLE policy, PSID sid, BOOLEAN all, PLSA_UNICODE_STRING rights, ULONG count) {
  bd_record record;
  bd_sid own;
  (void)policy;
  bd_record_begin(&record, "LsaRemoveAccountRights");
  put_rights(&record, sid, rights, count);
  bd_put_bool(&record, "all", all);
  NTSTATUS status = record.injected ? (NTSTATUS)record.result : bd_sid_from(&own, sid) ? STATUS_SUCCESS : STATUS_INVALID_SID;
  if (!status && !bd_caller_is_administrator()) status = STATUS_ACCESS_DENIED;
  bd_lock();
  bd_rights *entry = status ? NULL : bd_rights_of(&own, FALSE);
  if (!status && !entry) status = STATUS_OBJECT_NAME_NOT_FOUND;
  for (DWORD i = 0; entry && i < entry->count; i++) {
    BOOL named = all;
    for (ULONG k = 0; k < count; k++) named |= _wcsnicmp(entry->names[i], rights[k].Buffer, rights[k].Length / 2) == 0;
    if (named && i != --entry->count) wcscpy(entry->names[i], entry->names[entry->count]);
    if (named) i--;
  }
  if (entry && !entry->count) memset(entry, 0, sizeof(*entry));
  bd_unlock();
  bd_record_end(&record, (DWORD)status);
  return status;
}

static NTSTATUS NTAPI enumerate_rights(LSA_HANDLE policy, PSID sid, PLSA_UNICODE_STRING *rights, PULONG count) {
  bd_record record;
  bd_sid own;
  (void)policy;
  bd_record_begin(&record, "LsaEnumerateAccountRights");
  bd_put_sid(&record, "sid", sid);
  NTSTATUS status = record.injected ? (NTSTATUS)record.result : bd_sid_from(&own, sid) ? STATUS_SUCCESS : STATUS_INVALID_SID;
  bd_lock();
  const bd_rights *entry = status ? NULL : bd_rights_of(&own, FALSE);
  if (!status && !entry) status = STATUS_OBJECT_NAME_NOT_FOUND;
  if (entry) {
    LSA_UNICODE_STRING *list = HeapAlloc(GetProcessHeap(), 0, BD_RIGHTS_EACH * sizeof(*list) + sizeof(entry->names));
    WCHAR *names = list ? (WCHAR *)(list + BD_RIGHTS_EACH) : NULL;
    for (DWORD i = 0; list && i < entry->count; i++) {
      list[i].Buffer = wcscpy(names + 48 * i, entry->names[i]);
      list[i].Length = (USHORT)(2 * wcslen(entry->names[i]));
      list[i].MaximumLength = (USHORT)(list[i].Length + 2);
    }
    *rights = list;
    *count = list ? entry->count : 0;
    if (!list) status = STATUS_NO_MEMORY;
  }
  bd_unlock();
  bd_record_end(&record, (DWORD)status);
  return status;
}

static NTSTATUS NTAPI free_memory(void *memory) {
  HeapFree(GetProcessHeap(), 0, memory);
  return STATUS_SUCCESS;
}

static const bd_replacement replacements[] = {
    {"advapi32.dll", "LookupAccountSidW", (void *)lookup_sid, &original_sid},
    {"advapi32.dll", "LookupAccountNameW", (void *)lookup_name, &original_name},
    {"advapi32.dll", "GetUserNameW", (void *)user_name, &original_user},
    {"advapi32.dll", "LsaOpenPolicy", (void *)open_policy, NULL},
    {"advapi32.dll", "LsaClose", (void *)close_policy, NULL},
    {"advapi32.dll", "LsaAddAccountRights", (void *)add_rights, NULL},
    {"advapi32.dll", "LsaRemoveAccountRights", (void *)remove_rights, NULL},
    {"advapi32.dll", "LsaEnumerateAccountRights", (void *)enumerate_rights, NULL},
    {"advapi32.dll", "LsaFreeMemory", (void *)free_memory, NULL},
};

BOOL bd_lookup_install(void) {
  return bd_patch(replacements, sizeof(replacements) / sizeof(replacements[0]));
}
