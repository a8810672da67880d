#include "token.h"

#include <stdlib.h>
#include <string.h>

#include "sid.h"

/* CreateRestrictedToken; not in every header. */
#ifndef WRITE_RESTRICTED
#define WRITE_RESTRICTED 0x8
#endif

/*
 * Groups of this machine (S-1-5-32-...) whose members can take it over, read everything or change what others run: Administrators, Power
 * Users, Account, Server, Print and Backup Operators, Replicator, Network Configuration Operators, Performance Log Users, Distributed COM
 * Users, Cryptographic Operators, Event Log Readers, Hyper-V Administrators, Storage Replica Administrators. Win32: "Well-known SIDs".
 */
static const DWORD builtin[] = {544, 547, 548, 549, 550, 551, 552, 556, 559, 562, 569, 573, 578, 582};

/* The same of a domain (S-1-5-21-...-RID): Admins, Controllers, Cert Publishers, Schema, Enterprise, Policy Creators, Key and Enterprise Key. */
static const DWORD domain[] = {512, 516, 517, 518, 519, 520, 526, 527};

static bool is_one_of(DWORD value, const DWORD *values, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (values[i] == value) return true;
  }
  return false;
}

/* Members of docker-users have the host's files through Docker's engine. Its number differs from machine to machine. */
static bool is_docker_users(PSID group) {
  static BYTE found[SECURITY_MAX_SID_SIZE];
  static enum { UNASKED, ABSENT, PRESENT } known;
  if (known == UNASKED) {
    /* With the machine's name: no domain is asked, which could take long. */
    wchar_t name[MAX_COMPUTERNAME_LENGTH + 32], domain_name[256];
    DWORD length = MAX_COMPUTERNAME_LENGTH + 1, size = sizeof(found), domain_length = 256;
    SID_NAME_USE use;
    known = ABSENT;
    if (GetComputerNameW(name, &length)) {
      wcscat(name, L"\\docker-users");
      if (LookupAccountNameW(NULL, name, found, &size, domain_name, &domain_length, &use)) known = PRESENT;
    }
  }
  return known == PRESENT && EqualSid(found, group);
}

/*
 * Besides the above: INTERACTIVE and REMOTE INTERACTIVE LOGON, by which COM lets whoever sits at the machine start servers outside every
 * job, and "local account and member of Administrators".
 */
bool bh_group_is_powerful(PSID group) {
  static const SID_IDENTIFIER_AUTHORITY nt = {SECURITY_NT_AUTHORITY};
  if (memcmp(GetSidIdentifierAuthority(group), &nt, sizeof(nt)) != 0) return false;
  const UCHAR count = *GetSidSubAuthorityCount(group);
  const DWORD first = *GetSidSubAuthority(group, 0), last = *GetSidSubAuthority(group, (DWORD)count - 1);
  if (count == 1) return first == SECURITY_INTERACTIVE_RID || first == SECURITY_REMOTE_LOGON_RID || first == 114;
  if (count == 2 && first == SECURITY_BUILTIN_DOMAIN_RID) return is_one_of(last, builtin, sizeof(builtin) / sizeof(*builtin));
  if (count != 5 || first != SECURITY_NT_NON_UNIQUE) return false;
  return is_one_of(last, domain, sizeof(domain) / sizeof(*domain)) || is_docker_users(group);
}

/* What CreateRestrictedToken is given. */
struct restriction {
  TOKEN_PRIVILEGES *privileges;
  TOKEN_GROUPS *groups;
  SID_AND_ATTRIBUTES *disabled, *restricting;
  LUID_AND_ATTRIBUTES *deleted;
  DWORD disabled_count, deleted_count, restricting_count;
};

static int add_restricting(struct restriction *r, const char *text, struct bh_fault *fault) {
  PSID sid = bh_sid_from_text(text);
  if (!sid) return bh_fault(fault, 0, "restricting SID", text);
  r->restricting[r->restricting_count++].Sid = sid;
  return 0;
}

static int add_logon(struct restriction *r, struct bh_fault *fault) {
  for (DWORD i = 0; i < r->groups->GroupCount; i++) {
    if ((r->groups->Groups[i].Attributes & SE_GROUP_LOGON_ID) != SE_GROUP_LOGON_ID) continue;
    const DWORD length = GetLengthSid(r->groups->Groups[i].Sid);
    PSID copy = LocalAlloc(LMEM_FIXED, length);
    if (!copy) return bh_fault(fault, ERROR_OUTOFMEMORY, "restricted token", NULL);
    CopySid(length, copy, r->groups->Groups[i].Sid);
    r->restricting[r->restricting_count++].Sid = copy;
    return 0;
  }
  return bh_fault(fault, ERROR_NOT_FOUND, "SID of the logon session", NULL);
}

static int collect_restricting(struct restriction *r, const struct bh_spec *spec, struct bh_fault *fault) {
  r->restricting = calloc(BH_RESTRICTING_MAX + 2, sizeof(*r->restricting));
  if (!r->restricting) return bh_fault(fault, ERROR_OUTOFMEMORY, "restricted token", NULL);
  if (spec->has_filesystem && add_restricting(r, spec->workspace_sid, fault) < 0) return -1;
  if (add_restricting(r, spec->launch_sid, fault) < 0) return -1;
  for (char *const *sid = spec->restricting; *sid; sid++) {
    const int result = strcmp(*sid, BH_LOGON_SID) == 0 ? add_logon(r, fault) : add_restricting(r, *sid, fault);
    if (result < 0) return -1;
  }
  return 0;
}

/* By name, besides DISABLE_MAX_PRIVILEGE: two ways to say the same, of which one is enough. */
static int collect_privileges(struct restriction *r, HANDLE own, struct bh_fault *fault) {
  LUID notify;
  r->privileges = bh_token_information(own, TokenPrivileges);
  if (!r->privileges) return bh_fault(fault, 0, "reading the privileges", NULL);
  r->deleted = calloc((size_t)r->privileges->PrivilegeCount + 1, sizeof(*r->deleted));
  if (!r->deleted) return bh_fault(fault, ERROR_OUTOFMEMORY, "restricted token", NULL);
  if (!LookupPrivilegeValueW(NULL, SE_CHANGE_NOTIFY_NAME, &notify)) return bh_fault(fault, 0, "privilege", "SeChangeNotifyPrivilege");
  for (DWORD i = 0; i < r->privileges->PrivilegeCount; i++) {
    const LUID luid = r->privileges->Privileges[i].Luid;
    if (luid.LowPart == notify.LowPart && luid.HighPart == notify.HighPart) continue;
    r->deleted[r->deleted_count++].Luid = luid;
  }
  return 0;
}

static int collect_groups(struct restriction *r, HANDLE own, struct bh_fault *fault) {
  r->groups = bh_token_information(own, TokenGroups);
  if (!r->groups) return bh_fault(fault, 0, "reading the groups", NULL);
  r->disabled = calloc((size_t)r->groups->GroupCount + 1, sizeof(*r->disabled));
  if (!r->disabled) return bh_fault(fault, ERROR_OUTOFMEMORY, "restricted token", NULL);
  for (DWORD i = 0; i < r->groups->GroupCount; i++) {
    if (bh_group_is_powerful(r->groups->Groups[i].Sid)) r->disabled[r->disabled_count++].Sid = r->groups->Groups[i].Sid;
  }
  return 0;
}

static int restrict_token(HANDLE own, const struct bh_spec *spec, HANDLE *token, struct bh_fault *fault) {
  struct restriction r = {0};
  int result = collect_groups(&r, own, fault);
  if (result == 0) result = collect_privileges(&r, own, fault);
  if (result == 0) result = collect_restricting(&r, spec, fault);
  const DWORD flags = DISABLE_MAX_PRIVILEGE | (spec->tier == BH_TIER_WRITE_RESTRICTED ? WRITE_RESTRICTED : 0);
  if (result == 0 && !CreateRestrictedToken(own, flags, r.disabled_count, r.disabled, r.deleted_count, r.deleted, r.restricting_count,
                                            r.restricting, token)) {
    result = bh_fault(fault, 0, "CreateRestrictedToken", NULL);
  }
  for (DWORD i = 0; i < r.restricting_count; i++) LocalFree(r.restricting[i].Sid);
  free(r.restricting);
  free(r.privileges);
  free(r.deleted);
  free(r.groups);
  free(r.disabled);
  return result;
}

/* Only ever downwards; a caller that runs lower already stays where it is. */
static int lower_integrity(HANDLE token, uint8_t integrity, struct bh_fault *fault) {
  const DWORD wanted = integrity == BH_INTEGRITY_LOW ? SECURITY_MANDATORY_LOW_RID : SECURITY_MANDATORY_MEDIUM_RID;
  TOKEN_MANDATORY_LABEL *now = bh_token_information(token, TokenIntegrityLevel);
  if (!now) return bh_fault(fault, 0, "reading the integrity level", NULL);
  const DWORD present = *GetSidSubAuthority(now->Label.Sid, (DWORD)*GetSidSubAuthorityCount(now->Label.Sid) - 1);
  free(now);
  if (present <= wanted) return 0;
  SID_IDENTIFIER_AUTHORITY authority = {SECURITY_MANDATORY_LABEL_AUTHORITY};
  TOKEN_MANDATORY_LABEL label = {{NULL, SE_GROUP_INTEGRITY}};
  if (!AllocateAndInitializeSid(&authority, 1, wanted, 0, 0, 0, 0, 0, 0, 0, &label.Label.Sid)) return bh_fault(fault, 0, "integrity level", NULL);
  const BOOL set = SetTokenInformation(token, TokenIntegrityLevel, &label, sizeof(label) + GetLengthSid(label.Label.Sid));
  if (!set) bh_fault(fault, 0, "lowering the integrity level", NULL);
  FreeSid(label.Label.Sid);
  return set ? 0 : -1;
}

PSECURITY_DESCRIPTOR bh_launch_descriptor(const struct bh_spec *spec) {
  HANDLE token;
  if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return NULL;
  PSID user = bh_sid_of_user(token), launch = bh_sid_from_text(spec->launch_sid);
  PSECURITY_DESCRIPTOR descriptor = NULL;
  if (user && launch) descriptor = bh_descriptor(L"D:(A;;GA;;;SY)(A;;GA;;;%s)(A;;GA;;;%s)", user, launch);
  const DWORD error = GetLastError();
  LocalFree(launch);
  free(user);
  CloseHandle(token);
  SetLastError(error);
  return descriptor;
}

/* The owner of new objects needs no care: with Administrators deny-only, CreateRestrictedToken makes it the user. */
static int set_default_list(HANDLE token, const struct bh_spec *spec, struct bh_fault *fault) {
  PSECURITY_DESCRIPTOR descriptor = bh_launch_descriptor(spec);
  TOKEN_DEFAULT_DACL list = {NULL};
  BOOL present, defaulted;
  const BOOL set = descriptor && GetSecurityDescriptorDacl(descriptor, &present, &list.DefaultDacl, &defaulted) &&
                   SetTokenInformation(token, TokenDefaultDacl, &list, sizeof(list));
  const int result = set ? 0 : bh_fault(fault, 0, "default access list of the token", NULL);
  LocalFree(descriptor);
  return result;
}

int bh_token_make(const struct bh_spec *spec, HANDLE *token, struct bh_fault *fault) {
  HANDLE own, made = NULL;
  const DWORD access = TOKEN_DUPLICATE | TOKEN_QUERY | TOKEN_ASSIGN_PRIMARY | TOKEN_ADJUST_DEFAULT;
  if (!OpenProcessToken(GetCurrentProcess(), access, &own)) return bh_fault(fault, 0, "OpenProcessToken", NULL);
  int result = restrict_token(own, spec, &made, fault);
  CloseHandle(own);
  if (result == 0) result = set_default_list(made, spec, fault);
  /* Last: a token that is lower than its caller cannot be changed by every caller any more. */
  if (result == 0) result = lower_integrity(made, spec->integrity, fault);
  if (result < 0 && made) CloseHandle(made);
  if (result == 0) *token = made;
  return result;
}
