/*
 * The access check as documented: [MS-DTYP] 2.5.3.2 (algorithm), "How AccessCheck Works", "Restricted Tokens", "Mandatory Integrity Control" and
 * "OWNER RIGHTS". test/windows/oracle/access-check.ts is the same algorithm in TypeScript; both are run over one table.
 */
#include "model.h"

#define BD_SUCCESS ((NTSTATUS)0)
#define BD_ACCESS_DENIED ((NTSTATUS)0xC0000022)
#define BD_PRIVILEGE_NOT_HELD ((NTSTATUS)0xC0000061)

const GENERIC_MAPPING bd_map_file = {0x120089, 0x120116, 0x1200a0, 0x1f01ff};
const GENERIC_MAPPING bd_map_process = {0x20410, 0x20bea, 0x121001, 0x1fffff};
const GENERIC_MAPPING bd_map_thread = {0x20048, 0x20037, 0x120800, 0x1fffff};
const GENERIC_MAPPING bd_map_token = {0x2001a, 0x201e0, 0x20005, 0xf01ff};
/* FWP_ACTRL_MATCH_FILTER is bit 0, and is neither reading nor writing. */
const GENERIC_MAPPING bd_map_wfp = {0x20000, 0x20000, 0x20001, 0xf0001};

enum pass { NORMAL, RESTRICTED };

static BOOL matches_normal(const bd_token *token, const bd_sid *sid, BOOL for_deny) {
  if (bd_sid_equal(&token->user, sid)) return for_deny || !(token->user_attributes & SE_GROUP_USE_FOR_DENY_ONLY);
  for (DWORD i = 0; i < token->group_count; i++) {
    if (!bd_sid_equal(&token->groups[i].sid, sid)) continue;
    DWORD attributes = token->groups[i].attributes;
    if (attributes & SE_GROUP_USE_FOR_DENY_ONLY) return for_deny;
    return (attributes & SE_GROUP_ENABLED) != 0;
  }
  return FALSE;
}

static BOOL matches(enum pass pass, const bd_token *token, const bd_sid *sid, BOOL for_deny) {
  if (pass == NORMAL) return matches_normal(token, sid, for_deny);
  for (DWORD i = 0; i < token->restricted_count; i++) {
    if (bd_sid_equal(&token->restricted[i], sid)) return TRUE;
  }
  return FALSE;
}

BOOL bd_token_has(const bd_token *token, const bd_sid *sid) {
  return matches_normal(token, sid, FALSE);
}

ACCESS_MASK bd_write_rights(const GENERIC_MAPPING *map) {
  return map->GenericAll & ~(map->GenericRead | map->GenericExecute);
}

/** What the mandatory label lets the token ask for. */
static ACCESS_MASK mandatory(const bd_sd *sd, const bd_token *token, const GENERIC_MAPPING *map) {
  BOOL labelled = sd->has_label && !(sd->label_flags & INHERIT_ONLY_ACE);
  DWORD level = labelled ? sd->label_rid : SECURITY_MANDATORY_MEDIUM_RID;
  DWORD policy = labelled ? sd->label_policy : SYSTEM_MANDATORY_LABEL_NO_WRITE_UP;
  ACCESS_MASK allowed = 0;
  if (token->integrity >= level) return 0xffffffff;
  if (!(policy & SYSTEM_MANDATORY_LABEL_NO_READ_UP)) allowed |= map->GenericRead;
  if (!(policy & SYSTEM_MANDATORY_LABEL_NO_WRITE_UP)) allowed |= map->GenericWrite;
  if (!(policy & SYSTEM_MANDATORY_LABEL_NO_EXECUTE_UP)) allowed |= map->GenericExecute;
  if (token->privileges & BD_PRIVILEGE(BD_SE_RELABEL)) allowed |= WRITE_OWNER;
  return allowed;
}

/** Everything that one pass over the DACL grants. An entry decides a right only if no entry before it did. */
static ACCESS_MASK granted_by(enum pass pass, const bd_sd *sd, const bd_token *token, const GENERIC_MAPPING *map) {
  const bd_sid owner_rights = bd_sid_make(3, 1, 4u);
  ACCESS_MASK granted = 0, denied = 0;
  BOOL limited_owner = FALSE;
  if (sd->dacl != BD_DACL_PRESENT) return map->GenericAll | 0xffffff;
  for (int i = 0; i < sd->ace_count; i++) {
    limited_owner |= !(sd->aces[i].flags & INHERIT_ONLY_ACE) && bd_sid_equal(&sd->aces[i].sid, &owner_rights);
  }
  if (!limited_owner && matches(pass, token, &sd->owner, FALSE)) granted |= READ_CONTROL | WRITE_DAC;
  for (int i = 0; i < sd->ace_count; i++) {
    const bd_ace *ace = &sd->aces[i];
    const bd_sid *sid = bd_sid_equal(&ace->sid, &owner_rights) ? &sd->owner : &ace->sid;
    DWORD mask = ace->mask;
    if ((ace->flags & INHERIT_ONLY_ACE) || !matches(pass, token, sid, ace->type == BD_ACE_DENY)) continue;
    MapGenericMask(&mask, (GENERIC_MAPPING *)map);
    if (ace->type == BD_ACE_DENY) denied |= mask & ~granted;
    else granted |= mask & ~denied;
  }
  return granted;
}

NTSTATUS bd_access_check(const bd_sd *sd, const bd_token *token, ACCESS_MASK desired, const GENERIC_MAPPING *map, ACCESS_MASK *granted) {
  BOOL maximum = (desired & MAXIMUM_ALLOWED) != 0;
  ACCESS_MASK allowed = mandatory(sd, token, map), by_privilege = 0, have;
  *granted = 0;
  desired &= ~(ACCESS_MASK)MAXIMUM_ALLOWED;
  MapGenericMask(&desired, (GENERIC_MAPPING *)map);
  if (desired & ACCESS_SYSTEM_SECURITY) {
    if (!(token->privileges & BD_PRIVILEGE(BD_SE_SECURITY))) return BD_PRIVILEGE_NOT_HELD;
    by_privilege |= ACCESS_SYSTEM_SECURITY;
  }
  if (token->privileges & BD_PRIVILEGE(BD_SE_TAKE_OWNERSHIP)) by_privilege |= WRITE_OWNER;
  have = granted_by(NORMAL, sd, token, map);
  if (token->restricted_count) {
    ACCESS_MASK twice = token->flags & BD_TOKEN_WRITE_RESTRICTED ? bd_write_rights(map) : 0xffffffff;
    ACCESS_MASK second = granted_by(RESTRICTED, sd, token, map);
    /* A request with one right to write in it is checked twice as a whole; a question for everything is answered right by right. */
    if (!maximum && (desired & twice)) have &= second;
    else have &= second | ~twice;
  }
  have = (have | by_privilege) & (allowed | ACCESS_SYSTEM_SECURITY);
  if (desired & ~have) return BD_ACCESS_DENIED;
  if (maximum) desired |= have & map->GenericAll;
  if (!desired) return BD_ACCESS_DENIED;
  *granted = desired;
  return BD_SUCCESS;
}

ACCESS_MASK bd_through_parent(const bd_sd *parent, const bd_token *token) {
  ACCESS_MASK granted, more = 0;
  if (!bd_access_check(parent, token, FILE_LIST_DIRECTORY, &bd_map_file, &granted)) more |= FILE_READ_ATTRIBUTES | SYNCHRONIZE;
  if (!bd_access_check(parent, token, FILE_DELETE_CHILD, &bd_map_file, &granted)) more |= DELETE;
  return more;
}

NTSTATUS bd_file_check(const bd_sd *sd, ACCESS_MASK more, const bd_token *token, ACCESS_MASK desired, ACCESS_MASK *granted) {
  BOOL maximum = (desired & MAXIMUM_ALLOWED) != 0;
  MapGenericMask(&desired, (GENERIC_MAPPING *)&bd_map_file);
  *granted = 0;
  /* What is left once the rest came from elsewhere; synchronising alone is no access. */
  ACCESS_MASK left = desired & ~more;
  if (!(left & ~(ACCESS_MASK)SYNCHRONIZE)) {
    *granted = desired;
    return BD_SUCCESS;
  }
  NTSTATUS status = bd_access_check(sd, token, left, &bd_map_file, granted);
  if (status && maximum && more && !(left & ~(ACCESS_MASK)(MAXIMUM_ALLOWED | SYNCHRONIZE))) status = BD_SUCCESS;
  if (!status) *granted |= maximum ? more & bd_map_file.GenericAll : desired & more;
  return status;
}
