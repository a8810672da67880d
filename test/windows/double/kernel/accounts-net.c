/* netapi32: NetUser*, NetLocalGroup*. Buffers come from Wine's NetApiBufferAllocate, so that NetApiBufferFree is Wine's. */
#include "../common/record.h"
#include "accounts.h"
#include "patch.h"

#include <lm.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

typedef NET_API_STATUS(WINAPI *allocate_call)(DWORD, void **);

static void *allocate(size_t size) {
  void *buffer = NULL;
  allocate_call call = (allocate_call)(void *)GetProcAddress(GetModuleHandleW(L"netapi32.dll"), "NetApiBufferAllocate");
  if (!call || call((DWORD)size, &buffer)) return NULL;
  memset(buffer, 0, size);
  return buffer;
}

/** Every call: recorded; may fail as told; only on this machine; to change something one must be an administrator. */
static DWORD begin(bd_record *record, const char *name, const WCHAR *server, BOOL changes) {
  bd_record_begin(record, name);
  if (record->injected) return record->result;
  if (server && server[0]) return ERROR_NOT_SUPPORTED;
  return changes && !bd_caller_is_administrator() ? ERROR_ACCESS_DENIED : 0;
}

static DWORD end(bd_record *record, DWORD result) {
  bd_record_end(record, result);
  return result;
}

static DWORD add_user(const USER_INFO_1 *info, DWORD *parameter) {
  DWORD error = 0;
  if (!info || !info->usri1_name || !info->usri1_name[0] || wcslen(info->usri1_name) > 20) return NERR_BadUsername;
  if (wcspbrk(info->usri1_name, L"\"/\\[]:;|=,+*?<>@")) return NERR_BadUsername;
  if (info->usri1_priv != USER_PRIV_USER || !(info->usri1_flags & UF_SCRIPT)) {
    if (parameter) *parameter = info->usri1_priv != USER_PRIV_USER ? USER_PRIV_PARMNUM : USER_FLAGS_PARMNUM;
    return ERROR_INVALID_PARAMETER;
  }
  if (!info->usri1_password || wcslen(info->usri1_password) > 256) return NERR_PasswordTooShort;
  bd_lock();
  bd_account *account = bd_account_free();
  if (bd_account_named(info->usri1_name)) {
    error = NERR_UserExists;
  } else if (bd_group_named(info->usri1_name)) {
    error = NERR_GroupExists;
  } else if (!account) {
    error = ERROR_NOT_ENOUGH_MEMORY;
  } else {
    memset(account, 0, sizeof(*account));
    account->rid = bd_shared->next_rid++;
    account->flags = info->usri1_flags | UF_NORMAL_ACCOUNT;
    wcscpy(account->name, info->usri1_name);
    wcscpy(account->password, info->usri1_password);
    if (info->usri1_comment) wcsncpy(account->comment, info->usri1_comment, 255);
  }
  bd_unlock();
  return error;
}

static NET_API_STATUS WINAPI net_user_add(LPCWSTR server, DWORD level, LPBYTE buffer, LPDWORD parameter) {
  const USER_INFO_1 *info = (const void *)buffer;
  bd_record record;
  DWORD error = begin(&record, "NetUserAdd", server, TRUE);
  bd_put_number(&record, "level", level);
  if (level == 1 && info) {
    bd_put_wide(&record, "name", info->usri1_name, -1);
    /* Never the password itself: records are kept. */
    bd_put_number(&record, "passwordLength", info->usri1_password ? wcslen(info->usri1_password) : 0);
    bd_put_number(&record, "privilege", info->usri1_priv);
    bd_put_hex(&record, "flags", info->usri1_flags);
    bd_put_wide(&record, "comment", info->usri1_comment, -1);
  }
  if (!error) error = level == 1 ? add_user(info, parameter) : ERROR_INVALID_LEVEL;
  return end(&record, error);
}

static NET_API_STATUS WINAPI net_user_del(LPCWSTR server, LPCWSTR name) {
  bd_record record;
  DWORD error = begin(&record, "NetUserDel", server, TRUE);
  bd_put_wide(&record, "name", name, -1);
  if (error) return end(&record, error);
  bd_lock();
  bd_account *account = bd_account_named(name);
  if (account) {
    bd_sid sid = bd_account_sid(account);
    account->rid = 0;
    /* Memberships go with the account; rights and profile stay behind under its SID. */
    for (int i = 0; i < BD_MAX_LOCAL_GROUPS; i++) {
      bd_local_group *group = &bd_shared->groups[i];
      for (DWORD k = 0; group->used && k < group->member_count; k++) {
        if (bd_sid_equal(&group->members[k], &sid)) group->members[k--] = group->members[--group->member_count];
      }
    }
  }
  bd_unlock();
  return end(&record, account ? 0 : NERR_UserNotFound);
}

static NET_API_STATUS WINAPI net_user_set_info(LPCWSTR server, LPCWSTR name, DWORD level, LPBYTE buffer, LPDWORD parameter) {
  bd_record record;
  DWORD error = begin(&record, "NetUserSetInfo", server, TRUE);
  (void)parameter;
  bd_put_wide(&record, "name", name, -1);
  bd_put_number(&record, "level", level);
  if (level == 1008 && buffer) bd_put_hex(&record, "flags", ((USER_INFO_1008 *)buffer)->usri1008_flags);
  if (level == 1003 && buffer && *(WCHAR **)buffer) bd_put_number(&record, "passwordLength", wcslen(*(WCHAR **)buffer));
  if (level == 1007 && buffer) bd_put_wide(&record, "comment", *(WCHAR **)buffer, -1);
  if (!error && !buffer) error = ERROR_INVALID_PARAMETER;
  if (error) return end(&record, error);
  bd_lock();
  bd_account *account = bd_account_named(name);
  if (!account) {
    error = NERR_UserNotFound;
  } else if (level == 1003) {
    const WCHAR *password = *(WCHAR **)buffer;
    if (!password || wcslen(password) > 256) error = NERR_PasswordTooShort;
    else wcscpy(account->password, password);
  } else if (level == 1007) {
    const WCHAR *comment = *(WCHAR **)buffer;
    wcsncpy(account->comment, comment ? comment : L"", 255);
  } else if (level == 1008) {
    account->flags = ((USER_INFO_1008 *)buffer)->usri1008_flags | UF_NORMAL_ACCOUNT;
  } else {
    error = ERROR_INVALID_LEVEL;
  }
  bd_unlock();
  return end(&record, error);
}

/** Head of `size` bytes, then room for the texts and the SID. */
static DWORD user_info(const bd_account *account, DWORD level, LPBYTE *buffer) {
  size_t head = level == 23 ? sizeof(USER_INFO_23) : sizeof(USER_INFO_1);
  BYTE *block = allocate(head + sizeof(bd_sid) + 4 * sizeof(account->comment));
  if (!block) return ERROR_NOT_ENOUGH_MEMORY;
  WCHAR *name = (WCHAR *)(block + head + sizeof(bd_sid)), *comment = name + 32, *full_name = comment + 260;
  bd_sid sid = bd_account_sid(account);
  memcpy(block + head, &sid, sizeof(sid));
  wcscpy(name, account->name);
  wcscpy(comment, account->comment);
  wcscpy(full_name, account->full_name);
  if (level == 0) {
    ((USER_INFO_0 *)block)->usri0_name = name;
  } else if (level == 1) {
    USER_INFO_1 *info = (void *)block;
    info->usri1_name = name;
    info->usri1_priv = USER_PRIV_USER;
    info->usri1_comment = comment;
    info->usri1_flags = account->flags;
  } else {
    USER_INFO_23 *info = (void *)block;
    info->usri23_name = name;
    info->usri23_full_name = full_name;
    info->usri23_comment = comment;
    info->usri23_flags = account->flags;
    info->usri23_user_sid = block + head;
  }
  *buffer = block;
  return 0;
}

static void *original_get_info;
typedef NET_API_STATUS(WINAPI *get_info_call)(LPCWSTR, LPCWSTR, DWORD, LPBYTE *);

static NET_API_STATUS WINAPI net_user_get_info(LPCWSTR server, LPCWSTR name, DWORD level, LPBYTE *buffer) {
  bd_record record;
  WCHAR own[64];
  DWORD length = 64;
  /* Wine's own user is not in the database. */
  if (GetUserNameW(own, &length) && _wcsicmp(own, name) == 0) return ((get_info_call)original_get_info)(server, name, level, buffer);
  DWORD error = begin(&record, "NetUserGetInfo", server, FALSE);
  bd_put_wide(&record, "name", name, -1);
  bd_put_number(&record, "level", level);
  if (!error && level != 0 && level != 1 && level != 23) error = ERROR_INVALID_LEVEL;
  if (error) return end(&record, error);
  bd_lock();
  const bd_account *account = bd_account_named(name);
  error = account ? user_info(account, level, buffer) : NERR_UserNotFound;
  bd_unlock();
  return end(&record, error);
}

static NET_API_STATUS WINAPI net_group_add(LPCWSTR server, DWORD level, LPBYTE buffer, LPDWORD parameter) {
  const LOCALGROUP_INFO_1 *info = (const void *)buffer;
  bd_record record;
  DWORD error = begin(&record, "NetLocalGroupAdd", server, TRUE);
  (void)parameter;
  bd_put_number(&record, "level", level);
  if (info && level <= 1) bd_put_wide(&record, "name", info->lgrpi1_name, -1);
  if (info && level == 1) bd_put_wide(&record, "comment", info->lgrpi1_comment, -1);
  if (!error && level > 1) error = ERROR_INVALID_LEVEL;
  if (!error && (!info || !info->lgrpi1_name || !info->lgrpi1_name[0] || wcslen(info->lgrpi1_name) > 256)) error = ERROR_INVALID_PARAMETER;
  if (error) return end(&record, error);
  bd_lock();
  bd_local_group *group = bd_group_free();
  if (bd_group_named(info->lgrpi1_name)) {
    error = ERROR_ALIAS_EXISTS;
  } else if (bd_account_named(info->lgrpi1_name)) {
    error = NERR_UserExists;
  } else if (!group) {
    error = ERROR_NOT_ENOUGH_MEMORY;
  } else {
    memset(group, 0, sizeof(*group));
    group->used = TRUE;
    group->sid = bd_sid_make(5, 5, 21u, 0u, 0u, 0u, bd_shared->next_rid++);
    wcscpy(group->name, info->lgrpi1_name);
    if (level == 1 && info->lgrpi1_comment) wcsncpy(group->comment, info->lgrpi1_comment, 255);
  }
  bd_unlock();
  return end(&record, error);
}

static NET_API_STATUS WINAPI net_group_del(LPCWSTR server, LPCWSTR name) {
  bd_record record;
  DWORD error = begin(&record, "NetLocalGroupDel", server, TRUE);
  bd_put_wide(&record, "name", name, -1);
  if (error) return end(&record, error);
  bd_lock();
  bd_local_group *group = bd_group_named(name);
  if (!group) error = ERROR_NO_SUCH_ALIAS;
  else if (group->sid.bytes[1] == 2) error = ERROR_SPECIAL_ACCOUNT;
  else group->used = FALSE;
  bd_unlock();
  return end(&record, error);
}

/** One member in the form of that level. */
static BOOL member_sid(DWORD level, const BYTE *buffer, DWORD index, bd_sid *sid) {
  if (level == 0) return bd_sid_from(sid, ((const LOCALGROUP_MEMBERS_INFO_0 *)buffer)[index].lgrmi0_sid);
  const WCHAR *name = ((const LOCALGROUP_MEMBERS_INFO_3 *)buffer)[index].lgrmi3_domainandname;
  const bd_account *account = name ? bd_account_named(name) : NULL;
  if (account) *sid = bd_account_sid(account);
  return account != NULL;
}

static DWORD change_members(const char *call, BOOL join, LPCWSTR server, LPCWSTR name, DWORD level, LPBYTE buffer, DWORD count) {
  bd_record record;
  DWORD error = begin(&record, call, server, TRUE);
  bd_sid sid;
  bd_put_wide(&record, "name", name, -1);
  bd_put_number(&record, "level", level);
  bd_put_open(&record, "members", '[');
  bd_lock();
  for (DWORD i = 0; buffer && (level == 0 || level == 3) && i < count; i++) {
    if (member_sid(level, buffer, i, &sid)) bd_put_sid(&record, NULL, sid.bytes);
  }
  bd_put_close(&record, ']');
  bd_local_group *group = bd_group_named(name);
  if (!error && level != 0 && level != 3) error = ERROR_INVALID_LEVEL;
  if (!error && !group) error = ERROR_NO_SUCH_ALIAS;
  for (DWORD i = 0; !error && i < count; i++) {
    if (!member_sid(level, buffer, i, &sid)) {
      error = ERROR_NO_SUCH_MEMBER;
    } else if (join && bd_group_has(group, &sid)) {
      error = ERROR_MEMBER_IN_ALIAS;
    } else if (!join && !bd_group_has(group, &sid)) {
      error = ERROR_MEMBER_NOT_IN_ALIAS;
    } else if (join && group->member_count == BD_MAX_MEMBERS) {
      error = ERROR_NOT_ENOUGH_MEMORY;
    } else if (join) {
      group->members[group->member_count++] = sid;
    } else {
      for (DWORD k = 0; k < group->member_count; k++) {
        if (bd_sid_equal(&group->members[k], &sid)) group->members[k--] = group->members[--group->member_count];
      }
    }
  }
  bd_unlock();
  return end(&record, error);
}

static NET_API_STATUS WINAPI net_group_add_members(LPCWSTR server, LPCWSTR name, DWORD level, LPBYTE buffer, DWORD count) {
  return change_members("NetLocalGroupAddMembers", TRUE, server, name, level, buffer, count);
}

static NET_API_STATUS WINAPI net_group_del_members(LPCWSTR server, LPCWSTR name, DWORD level, LPBYTE buffer, DWORD count) {
  return change_members("NetLocalGroupDelMembers", FALSE, server, name, level, buffer, count);
}

static NET_API_STATUS WINAPI net_group_get_members(LPCWSTR server, LPCWSTR name, DWORD level, LPBYTE *buffer, DWORD preferred, LPDWORD count,
                                                   LPDWORD total, PDWORD_PTR resume) {
  bd_record record;
  DWORD error = begin(&record, "NetLocalGroupGetMembers", server, FALSE);
  (void)preferred;
  (void)resume;
  bd_put_wide(&record, "name", name, -1);
  *buffer = NULL;
  *count = *total = 0;
  if (!error && level != 0) error = ERROR_INVALID_LEVEL;
  if (error) return end(&record, error);
  bd_lock();
  const bd_local_group *group = bd_group_named(name);
  DWORD found = group ? group->member_count : 0;
  LOCALGROUP_MEMBERS_INFO_0 *list = group ? allocate((found + 1) * (sizeof(*list) + sizeof(bd_sid))) : NULL;
  bd_sid *sids = list ? (bd_sid *)(list + found + 1) : NULL;
  for (DWORD i = 0; list && i < found; i++) {
    sids[i] = group->members[i];
    list[i].lgrmi0_sid = &sids[i];
  }
  bd_unlock();
  if (!group) return end(&record, NERR_GroupNotFound);
  if (!list) return end(&record, ERROR_NOT_ENOUGH_MEMORY);
  *buffer = (LPBYTE)list;
  *count = *total = found;
  return end(&record, 0);
}

static const bd_replacement replacements[] = {
    {"netapi32.dll", "NetUserAdd", (void *)net_user_add, NULL},
    {"netapi32.dll", "NetUserDel", (void *)net_user_del, NULL},
    {"netapi32.dll", "NetUserSetInfo", (void *)net_user_set_info, NULL},
    {"netapi32.dll", "NetUserGetInfo", (void *)net_user_get_info, &original_get_info},
    {"netapi32.dll", "NetLocalGroupAdd", (void *)net_group_add, NULL},
    {"netapi32.dll", "NetLocalGroupDel", (void *)net_group_del, NULL},
    {"netapi32.dll", "NetLocalGroupAddMembers", (void *)net_group_add_members, NULL},
    {"netapi32.dll", "NetLocalGroupDelMembers", (void *)net_group_del_members, NULL},
    {"netapi32.dll", "NetLocalGroupGetMembers", (void *)net_group_get_members, NULL},
};

BOOL bd_accounts_install(void) {
  return bd_patch(replacements, sizeof(replacements) / sizeof(replacements[0]));
}
