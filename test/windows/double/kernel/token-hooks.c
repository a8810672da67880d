/* NtFilterToken, NtDuplicateToken, NtQueryInformationToken, NtSetInformationToken, NtOpenProcessToken, NtAccessCheck. */
#include "logs.h"
#include "token.h"

#include <string.h>

#define DISABLE_MAX 1u
#define INERT 2u
#define LUA 4u
#define WRITE_RESTRICTED_FLAG 8u
#define CHANGE_NOTIFY 23

static BOOL listed(const TOKEN_GROUPS *list, const bd_sid *sid) {
  for (DWORD i = 0; list && i < list->GroupCount; i++) {
    bd_sid one;
    if (bd_sid_from(&one, list->Groups[i].Sid) && bd_sid_equal(&one, sid)) return TRUE;
  }
  return FALSE;
}

static void deny_only(bd_group *group) {
  group->attributes &= ~(DWORD)(SE_GROUP_ENABLED | SE_GROUP_ENABLED_BY_DEFAULT);
  group->attributes |= SE_GROUP_USE_FOR_DENY_ONLY;
}

/** Restricting SIDs of a token that has some already: only those in both lists ("CreateRestrictedToken"). */
static NTSTATUS restrict_to(bd_token *record, const TOKEN_GROUPS *list) {
  bd_token before = *record;
  if (!list || !list->GroupCount) return STATUS_SUCCESS;
  if (list->GroupCount > BD_MAX_RESTRICTED) return STATUS_INSUFFICIENT_RESOURCES;
  record->restricted_count = 0;
  for (DWORD i = 0; i < list->GroupCount; i++) {
    bd_sid sid;
    BOOL both = before.restricted_count == 0;
    if (!bd_sid_from(&sid, list->Groups[i].Sid)) return STATUS_INVALID_SID;
    if (list->Groups[i].Attributes) return STATUS_INVALID_PARAMETER;
    for (DWORD k = 0; k < before.restricted_count; k++) both |= bd_sid_equal(&before.restricted[k], &sid);
    if (both) record->restricted[record->restricted_count++] = sid;
  }
  if (!record->restricted_count) {
    /* Nothing in common: a list that matches nothing, not no list. */
    record->restricted[record->restricted_count++] = bd_sid_make(0, 1, 0u);
  }
  return STATUS_SUCCESS;
}

static void apply_lua(bd_token *record) {
  static const DWORD powerful[] = {544, 547, 548, 549, 550, 551, 552, 569};
  for (DWORD i = 0; i < record->group_count; i++) {
    for (size_t k = 0; k < sizeof(powerful) / sizeof(powerful[0]); k++) {
      bd_sid sid = bd_sid_make(5, 2, 32u, powerful[k]);
      if (bd_sid_equal(&record->groups[i].sid, &sid)) deny_only(&record->groups[i]);
    }
  }
  if (record->integrity > SECURITY_MANDATORY_MEDIUM_RID) record->integrity = SECURITY_MANDATORY_MEDIUM_RID;
  record->elevation = TokenElevationTypeLimited;
}

/** The privileges that the real call must remove: those named, and those that the flags mean. Wine knows no flags. */
static void privileges_to_remove(HANDLE token, ULONG flags, const TOKEN_PRIVILEGES *named, TOKEN_PRIVILEGES *remove, size_t room) {
  static const DWORD lua_keeps[] = {19, 23, 25, 33, 34};
  BYTE buffer[1024];
  const TOKEN_PRIVILEGES *have = (const void *)buffer;
  ULONG size;
  remove->PrivilegeCount = 0;
  for (DWORD i = 0; named && i < named->PrivilegeCount && remove->PrivilegeCount < room; i++) {
    remove->Privileges[remove->PrivilegeCount++] = named->Privileges[i];
  }
  if (!(flags & (DISABLE_MAX | LUA)) || bd_real(NtQueryInformationToken)(token, TokenPrivileges, buffer, sizeof(buffer), &size)) return;
  for (DWORD i = 0; i < have->PrivilegeCount && remove->PrivilegeCount < room; i++) {
    BOOL keep = have->Privileges[i].Luid.LowPart == CHANGE_NOTIFY;
    for (size_t k = 0; !(flags & DISABLE_MAX) && k < sizeof(lua_keeps) / sizeof(lua_keeps[0]); k++) {
      keep |= have->Privileges[i].Luid.LowPart == lua_keeps[k];
    }
    if (!keep) remove->Privileges[remove->PrivilegeCount++] = have->Privileges[i];
  }
}

static NTSTATUS filter(HANDLE token, ULONG flags, TOKEN_GROUPS *disable, TOKEN_PRIVILEGES *privileges, TOKEN_GROUPS *restricting, HANDLE *filtered) {
  BYTE buffer[sizeof(TOKEN_PRIVILEGES) + 80 * sizeof(LUID_AND_ATTRIBUTES)];
  TOKEN_PRIVILEGES *remove = (void *)buffer;
  bd_token record;
  NTSTATUS status = bd_token_of(token, &record);
  if (status) return status;
  if (flags & ~(DISABLE_MAX | INERT | LUA | WRITE_RESTRICTED_FLAG)) return STATUS_INVALID_PARAMETER;
  for (DWORD i = 0; i < record.group_count; i++) {
    if (listed(disable, &record.groups[i].sid)) deny_only(&record.groups[i]);
  }
  if (listed(disable, &record.user)) record.user_attributes = SE_GROUP_USE_FOR_DENY_ONLY;
  if (flags & LUA) apply_lua(&record);
  status = restrict_to(&record, restricting);
  if (status) return status;
  if (flags & INERT) record.flags |= BD_TOKEN_SANDBOX_INERT;
  if ((flags & WRITE_RESTRICTED_FLAG) && record.restricted_count) record.flags |= BD_TOKEN_WRITE_RESTRICTED;
  record.flags |= BD_TOKEN_FILTERED;
  record.has_object = 0;
  privileges_to_remove(token, flags, privileges, remove, 80);
  status = bd_real(NtFilterToken)(token, 0, disable, remove->PrivilegeCount ? remove : NULL, NULL, filtered);
  if (status) return status;
  status = bd_token_bind(*filtered, &record, GetCurrentProcessId());
  if (status) NtClose(*filtered);
  else bd_token_real_dacl(*filtered, &record);
  return status;
}

NTSTATUS NTAPI bd_NtFilterToken(HANDLE token, ULONG flags, TOKEN_GROUPS *disable, TOKEN_PRIVILEGES *privileges, TOKEN_GROUPS *restricting,
                                HANDLE *filtered) {
  if (bd_inside()) return bd_real(NtFilterToken)(token, flags, disable, privileges, restricting, filtered);
  bd_frame frame = bd_enter();
  bd_record record;
  bd_record_begin(&record, "NtFilterToken");
  bd_log_filter(&record, token, flags, disable, privileges, restricting);
  NTSTATUS status = record.injected ? (NTSTATUS)record.result : filter(token, flags, disable, privileges, restricting, filtered);
  bd_record_end(&record, (DWORD)status);
  bd_leave(frame);
  return status;
}

NTSTATUS NTAPI bd_NtDuplicateToken(HANDLE token, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes, BOOLEAN effective, TOKEN_TYPE type,
                                   HANDLE *copy) {
  if (bd_inside()) return bd_real(NtDuplicateToken)(token, access, attributes, effective, type, copy);
  bd_frame frame = bd_enter();
  bd_token record;
  NTSTATUS status = bd_token_of(token, &record);
  if (!status) status = bd_real(NtDuplicateToken)(token, access, attributes, effective, type, copy);
  if (!status) {
    record.has_object = 0;
    status = bd_token_bind(*copy, &record, GetCurrentProcessId());
    if (status) NtClose(*copy);
  }
  bd_leave(frame);
  return status;
}

/** One answer: a fixed head, then SIDs to which it points. */
typedef struct {
  BYTE *buffer;
  ULONG size, used;
} answer;

static void *take(answer *a, ULONG size) {
  void *at = a->buffer && a->used + size <= a->size ? a->buffer + a->used : NULL;
  a->used += size;
  return at;
}

static void take_sid(answer *a, const bd_sid *sid, PSID *pointer) {
  void *at = take(a, bd_sid_length(sid));
  if (!at) return;
  memcpy(at, sid->bytes, bd_sid_length(sid));
  *pointer = at;
}

static void answer_sid(answer *a, const bd_sid *sid, DWORD attributes, ULONG head) {
  SID_AND_ATTRIBUTES *entry = take(a, head);
  PSID unused;
  if (entry && head >= sizeof(*entry)) entry->Attributes = attributes;
  take_sid(a, sid, entry ? &entry->Sid : &unused);
}

static void answer_groups(answer *a, const bd_token *record, BOOL logon_only) {
  bd_sid label = bd_sid_make(16, 1, record->integrity);
  DWORD count = 0;
  for (DWORD i = 0; i < record->group_count; i++) {
    count += !logon_only || (record->groups[i].attributes & SE_GROUP_LOGON_ID) == SE_GROUP_LOGON_ID;
  }
  if (!logon_only) count++;
  TOKEN_GROUPS *groups = take(a, offsetof(TOKEN_GROUPS, Groups) + count * sizeof(SID_AND_ATTRIBUTES));
  if (groups) groups->GroupCount = count;
  DWORD at = 0;
  PSID unused;
  for (DWORD i = 0; i <= record->group_count; i++) {
    BOOL last = i == record->group_count;
    if (logon_only && (last || (record->groups[i].attributes & SE_GROUP_LOGON_ID) != SE_GROUP_LOGON_ID)) continue;
    if (groups) groups->Groups[at].Attributes = last ? SE_GROUP_INTEGRITY | SE_GROUP_INTEGRITY_ENABLED : record->groups[i].attributes;
    take_sid(a, last ? &label : &record->groups[i].sid, groups ? &groups->Groups[at].Sid : &unused);
    at++;
  }
}

static void answer_restricted(answer *a, const bd_token *record) {
  TOKEN_GROUPS *groups = take(a, offsetof(TOKEN_GROUPS, Groups) + record->restricted_count * sizeof(SID_AND_ATTRIBUTES));
  PSID unused;
  if (groups) groups->GroupCount = record->restricted_count;
  for (DWORD i = 0; i < record->restricted_count; i++) {
    if (groups) groups->Groups[i].Attributes = SE_GROUP_MANDATORY | SE_GROUP_ENABLED_BY_DEFAULT | SE_GROUP_ENABLED;
    take_sid(a, &record->restricted[i], groups ? &groups->Groups[i].Sid : &unused);
  }
}

static void answer_dacl(answer *a, const bd_token *record) {
  ULONG size = bd_acl_to(&record->default_dacl, NULL, 0);
  TOKEN_DEFAULT_DACL *head = take(a, sizeof(*head));
  void *acl = record->default_dacl.dacl == BD_DACL_PRESENT ? take(a, size) : NULL;
  if (head) head->DefaultDacl = acl;
  if (acl) bd_acl_to(&record->default_dacl, acl, size);
}

static void answer_number(answer *a, DWORD number) {
  DWORD *at = take(a, sizeof(number));
  if (at) *at = number;
}

/** FALSE: the double has nothing to add to Wine's answer. */
static BOOL answer_class(answer *a, ULONG class, const bd_token *record) {
  bd_sid label = bd_sid_make(16, 1, record->integrity);
  switch (class) {
    case TokenUser: answer_sid(a, &record->user, record->user_attributes, sizeof(TOKEN_USER)); return TRUE;
    case TokenGroups: answer_groups(a, record, FALSE); return TRUE;
    case TokenOwner: answer_sid(a, &record->owner, 0, sizeof(TOKEN_OWNER)); return TRUE;
    case TokenPrimaryGroup: answer_sid(a, &record->primary_group, 0, sizeof(TOKEN_PRIMARY_GROUP)); return TRUE;
    case TokenDefaultDacl: answer_dacl(a, record); return TRUE;
    case TokenRestrictedSids: answer_restricted(a, record); return TRUE;
    case TokenSandBoxInert: answer_number(a, (record->flags & BD_TOKEN_SANDBOX_INERT) != 0); return TRUE;
    case TokenElevationType: answer_number(a, record->elevation); return TRUE;
    case TokenElevation: answer_number(a, record->elevation == TokenElevationTypeFull); return TRUE;
    case TokenHasRestrictions: answer_number(a, (record->flags & BD_TOKEN_FILTERED) != 0); return TRUE;
    case TokenIntegrityLevel:
      answer_sid(a, &label, SE_GROUP_INTEGRITY | SE_GROUP_INTEGRITY_ENABLED, sizeof(TOKEN_MANDATORY_LABEL));
      return TRUE;
    case TokenMandatoryPolicy: answer_number(a, TOKEN_MANDATORY_POLICY_NO_WRITE_UP | TOKEN_MANDATORY_POLICY_NEW_PROCESS_MIN); return TRUE;
    case TokenLogonSid: answer_groups(a, record, TRUE); return TRUE;
    case 40 /* TokenIsRestricted */: answer_number(a, record->restricted_count > 0); return TRUE;
    default: return FALSE;
  }
}

NTSTATUS NTAPI bd_NtQueryInformationToken(HANDLE token, ULONG class, void *buffer, ULONG size, ULONG *returned) {
  if (bd_inside()) return bd_real(NtQueryInformationToken)(token, class, buffer, size, returned);
  bd_frame frame = bd_enter();
  answer measure = {NULL, 0, 0}, full = {buffer, size, 0};
  TOKEN_STATISTICS statistics;
  ULONG unused;
  bd_token record;
  NTSTATUS status = bd_real(NtQueryInformationToken)(token, TokenStatistics, &statistics, sizeof(statistics), &unused);
  if (!status) status = bd_token_of(token, &record);
  if (!status && !answer_class(&measure, class, &record)) {
    status = bd_real(NtQueryInformationToken)(token, class, buffer, size, returned);
  } else if (!status) {
    if (returned) *returned = measure.used;
    if (!buffer || size < measure.used) status = STATUS_BUFFER_TOO_SMALL;
    else answer_class(&full, class, &record);
  }
  bd_leave(frame);
  return status;
}

static NTSTATUS set_class(HANDLE token, ULONG class, void *buffer, ULONG size, bd_token *record) {
  const TOKEN_MANDATORY_LABEL *label = buffer;
  const TOKEN_DEFAULT_DACL *dacl = buffer;
  const bd_sid *sid;
  DWORD rid;
  bd_object_basic basic;
  if (size < sizeof(DWORD)) return STATUS_INFO_LENGTH_MISMATCH;
  if (NtQueryObject(token, 0, &basic, sizeof(basic), NULL) == STATUS_SUCCESS && !(basic.granted & TOKEN_ADJUST_DEFAULT)) {
    return STATUS_ACCESS_DENIED;
  }
  switch (class) {
    case TokenIntegrityLevel:
      if (size < sizeof(*label)) return STATUS_INFO_LENGTH_MISMATCH;
      sid = label->Label.Sid;
      if (!sid || sid->bytes[1] != 1 || sid->bytes[7] != 16) return STATUS_INVALID_LABEL;
      memcpy(&rid, sid->bytes + 8, 4);
      /* Raising needs SeTcbPrivilege, which nobody here has. */
      if (rid > record->integrity) return STATUS_PRIVILEGE_NOT_HELD;
      record->integrity = rid;
      return bd_real(NtSetInformationToken)(token, class, buffer, size);
    case TokenDefaultDacl: {
      /* It guards what is made from now on, not this token. */
      if (!record->has_object) bd_token_object(record, &record->object);
      record->has_object = 1;
      memset(&record->default_dacl, 0, sizeof(record->default_dacl));
      if (dacl->DefaultDacl && !bd_acl_from(&record->default_dacl, dacl->DefaultDacl)) return STATUS_INVALID_ACL;
      NTSTATUS status = bd_real(NtSetInformationToken)(token, class, buffer, size);
      if (!status) bd_token_real_dacl(token, record);
      return status;
    }
    case TokenOwner:
      if (!bd_sid_from(&record->owner, ((TOKEN_OWNER *)buffer)->Owner)) return STATUS_INVALID_SID;
      return bd_token_has(record, &record->owner) ? STATUS_SUCCESS : STATUS_INVALID_OWNER;
    case TokenPrimaryGroup:
      return bd_sid_from(&record->primary_group, ((TOKEN_PRIMARY_GROUP *)buffer)->PrimaryGroup) ? STATUS_SUCCESS : STATUS_INVALID_SID;
    default: return bd_real(NtSetInformationToken)(token, class, buffer, size);
  }
}

static NTSTATUS set_information(HANDLE token, ULONG class, void *buffer, ULONG size) {
  bd_token record;
  NTSTATUS status = bd_token_of(token, &record);
  if (!status) status = set_class(token, class, buffer, size, &record);
  return status ? status : bd_token_bind(token, &record, record.owner_pid);
}

NTSTATUS NTAPI bd_NtSetInformationToken(HANDLE token, ULONG class, void *buffer, ULONG size) {
  if (bd_inside()) return bd_real(NtSetInformationToken)(token, class, buffer, size);
  bd_frame frame = bd_enter();
  bd_record line;
  bd_record_begin(&line, "NtSetInformationToken");
  bd_log_token_information(&line, class, buffer, size);
  NTSTATUS status = line.injected ? (NTSTATUS)line.result : set_information(token, class, buffer, size);
  bd_record_end(&line, (DWORD)status);
  bd_leave(frame);
  return status;
}

/** A token object has a descriptor of its own and its integrity level. */
static NTSTATUS open_token(HANDLE process, ACCESS_MASK access) {
  bd_token record, caller;
  ACCESS_MASK granted;
  NTSTATUS status = bd_token_of_process(process, &record);
  if (status) return status;
  status = bd_token_caller(&caller);
  if (status) return status;
  bd_sd sd;
  bd_token_object(&record, &sd);
  return bd_access_check(&sd, &caller, access, &bd_map_token, &granted);
}

NTSTATUS NTAPI bd_NtOpenProcessToken(HANDLE process, ACCESS_MASK access, HANDLE *token) {
  return bd_NtOpenProcessTokenEx(process, access, 0, token);
}

NTSTATUS NTAPI bd_NtOpenProcessTokenEx(HANDLE process, ACCESS_MASK access, ULONG attributes, HANDLE *token) {
  if (bd_inside() || !bd_shared->enforce) return bd_real(NtOpenProcessTokenEx)(process, access, attributes, token);
  bd_frame frame = bd_enter();
  NTSTATUS status = bd_real(NtOpenProcessTokenEx)(process, access, attributes, token);
  if (!status && (status = open_token(process, access)) != STATUS_SUCCESS) {
    NtClose(*token);
    *token = NULL;
  }
  bd_leave(frame);
  return status;
}

NTSTATUS NTAPI bd_NtOpenThreadToken(HANDLE thread, ACCESS_MASK access, BOOLEAN as_self, HANDLE *token) {
  return bd_real(NtOpenThreadToken)(thread, access, as_self, token);
}

NTSTATUS NTAPI bd_NtAccessCheck(void *descriptor, HANDLE token, ACCESS_MASK access, GENERIC_MAPPING *map, PRIVILEGE_SET *privileges, ULONG *size,
                                ULONG *granted, NTSTATUS *answer_status) {
  if (bd_inside()) return bd_real(NtAccessCheck)(descriptor, token, access, map, privileges, size, granted, answer_status);
  bd_frame frame = bd_enter();
  bd_token record;
  bd_sd sd;
  ACCESS_MASK have = 0;
  /* Wine checks the arguments and fills in the privileges. */
  NTSTATUS status = bd_real(NtAccessCheck)(descriptor, token, access, map, privileges, size, granted, answer_status);
  if (!status) status = bd_token_of(token, &record);
  if (!status && !bd_sd_from(&sd, descriptor)) status = STATUS_INVALID_SECURITY_DESCR;
  if (!status) {
    bd_token_privileges(token, &record);
    *answer_status = bd_access_check(&sd, &record, access, map, &have);
    *granted = have;
  }
  bd_leave(frame);
  return status;
}
