#include "accounts.h"
#include "token.h"

#include <string.h>
#include <wchar.h>

/** The name behind `.\` or `MACHINE\`. */
static const WCHAR *local_part(const WCHAR *name) {
  WCHAR machine[MAX_COMPUTERNAME_LENGTH + 1];
  DWORD length = MAX_COMPUTERNAME_LENGTH + 1;
  const WCHAR *slash = wcschr(name, L'\\');
  if (!slash) return name;
  size_t domain = (size_t)(slash - name);
  if (domain == 1 && name[0] == L'.') return slash + 1;
  if (!GetComputerNameW(machine, &length)) return name;
  return domain == length && _wcsnicmp(name, machine, length) == 0 ? slash + 1 : name;
}

bd_account *bd_account_named(const WCHAR *name) {
  const WCHAR *wanted = local_part(name);
  for (int i = 0; i < BD_MAX_ACCOUNTS; i++) {
    bd_account *account = &bd_shared->accounts[i];
    if (account->rid && _wcsicmp(account->name, wanted) == 0) return account;
  }
  return NULL;
}

bd_sid bd_account_sid(const bd_account *account) {
  return bd_sid_make(5, 5, 21u, 0u, 0u, 0u, account->rid);
}

bd_account *bd_account_with(const bd_sid *sid) {
  for (int i = 0; i < BD_MAX_ACCOUNTS; i++) {
    bd_sid own = bd_account_sid(&bd_shared->accounts[i]);
    if (bd_shared->accounts[i].rid && bd_sid_equal(&own, sid)) return &bd_shared->accounts[i];
  }
  return NULL;
}

bd_account *bd_account_free(void) {
  for (int i = 0; i < BD_MAX_ACCOUNTS; i++) {
    if (!bd_shared->accounts[i].rid) return &bd_shared->accounts[i];
  }
  return NULL;
}

bd_local_group *bd_group_named(const WCHAR *name) {
  const WCHAR *wanted = local_part(name);
  for (int i = 0; i < BD_MAX_LOCAL_GROUPS; i++) {
    if (bd_shared->groups[i].used && _wcsicmp(bd_shared->groups[i].name, wanted) == 0) return &bd_shared->groups[i];
  }
  return NULL;
}

bd_local_group *bd_group_with(const bd_sid *sid) {
  for (int i = 0; i < BD_MAX_LOCAL_GROUPS; i++) {
    if (bd_shared->groups[i].used && bd_sid_equal(&bd_shared->groups[i].sid, sid)) return &bd_shared->groups[i];
  }
  return NULL;
}

bd_local_group *bd_group_free(void) {
  for (int i = 0; i < BD_MAX_LOCAL_GROUPS; i++) {
    if (!bd_shared->groups[i].used) return &bd_shared->groups[i];
  }
  return NULL;
}

BOOL bd_group_has(const bd_local_group *group, const bd_sid *sid) {
  for (DWORD i = 0; i < group->member_count; i++) {
    if (bd_sid_equal(&group->members[i], sid)) return TRUE;
  }
  return FALSE;
}

bd_rights *bd_rights_of(const bd_sid *sid, BOOL make) {
  bd_rights *unused = NULL;
  for (int i = 0; i < BD_MAX_RIGHTS; i++) {
    bd_rights *rights = &bd_shared->rights[i];
    if (bd_sid_equal(&rights->sid, sid)) return rights;
    if (!unused && bd_sid_none(&rights->sid)) unused = rights;
  }
  if (!make || !unused) return NULL;
  memset(unused, 0, sizeof(*unused));
  unused->sid = *sid;
  return unused;
}

BOOL bd_has_right(const bd_sid *sid, const WCHAR *right) {
  const bd_rights *rights = bd_rights_of(sid, FALSE);
  for (DWORD i = 0; rights && i < rights->count; i++) {
    if (_wcsicmp(rights->names[i], right) == 0) return TRUE;
  }
  return FALSE;
}

bd_profile *bd_profile_of(const bd_sid *sid, BOOL make) {
  bd_profile *unused = NULL;
  for (int i = 0; i < BD_MAX_ACCOUNTS; i++) {
    bd_profile *profile = &bd_shared->profiles[i];
    if (bd_sid_equal(&profile->sid, sid)) return profile;
    if (!unused && bd_sid_none(&profile->sid)) unused = profile;
  }
  if (!make || !unused) return NULL;
  unused->sid = *sid;
  unused->path[0] = 0;
  return unused;
}

static void add_builtin(DWORD rid, const WCHAR *name) {
  bd_local_group *group = bd_group_free();
  if (!group) return;
  group->used = TRUE;
  group->sid = bd_sid_make(5, 2, 32u, rid);
  wcscpy(group->name, name);
}

void bd_accounts_prepare(void) {
  static const WCHAR *const names[] = {L"Administrators", L"Users", L"Guests", L"Power Users"};
  const WCHAR *may_log_on = L"SeInteractiveLogonRight";
  bd_shared->next_rid = 1001;
  for (DWORD i = 0; i < 4; i++) add_builtin(544 + i, names[i]);
  /* "Allow log on locally", as on an installed workstation. */
  for (DWORD rid = 544; rid <= 546; rid++) {
    bd_sid sid = bd_sid_make(5, 2, 32u, rid);
    bd_rights *rights = bd_rights_of(&sid, TRUE);
    if (rights) wcscpy(rights->names[rights->count++], may_log_on);
  }
}

BOOL bd_caller_is_administrator(void) {
  const bd_sid administrators = bd_sid_make(5, 2, 32u, 544u);
  bd_token caller;
  bd_frame frame = bd_enter();
  NTSTATUS status = bd_token_caller(&caller);
  bd_leave(frame);
  return !status && bd_token_has(&caller, &administrators) && !caller.restricted_count && caller.integrity >= SECURITY_MANDATORY_HIGH_RID;
}
