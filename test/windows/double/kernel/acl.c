#include "model.h"

#include <string.h>

#define INHERIT_FLAGS (OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE | NO_PROPAGATE_INHERIT_ACE | INHERIT_ONLY_ACE)
#define GENERIC_RIGHTS (GENERIC_ALL | GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE)
#define MANDATORY_LABEL_ACE 0x11

BOOL bd_add_ace(bd_sd *sd, BYTE type, BYTE flags, DWORD mask, const bd_sid *sid) {
  if (sd->ace_count == BD_MAX_ACES) return FALSE;
  bd_ace *ace = &sd->aces[sd->ace_count++];
  memset(ace, 0, sizeof(*ace));
  ace->type = type;
  ace->flags = flags;
  ace->mask = mask;
  ace->sid = *sid;
  sd->dacl = BD_DACL_PRESENT;
  return TRUE;
}

BOOL bd_acl_from(bd_sd *to, const ACL *acl) {
  const BYTE *at = (const BYTE *)(acl + 1), *end = (const BYTE *)acl + acl->AclSize;
  to->dacl = BD_DACL_PRESENT;
  to->ace_count = 0;
  for (WORD i = 0; i < acl->AceCount; i++) {
    const ACCESS_ALLOWED_ACE *ace = (const void *)at;
    bd_sid sid;
    if (at + sizeof(ACE_HEADER) > end || ace->Header.AceSize < sizeof(ACE_HEADER) || at + ace->Header.AceSize > end) return FALSE;
    at += ace->Header.AceSize;
    /* Only plain allow and deny entries decide; the double refuses what it does not understand instead of skipping it. */
    if (ace->Header.AceType > ACCESS_DENIED_ACE_TYPE || !bd_sid_from(&sid, &ace->SidStart)) return FALSE;
    BYTE type = ace->Header.AceType == ACCESS_ALLOWED_ACE_TYPE ? BD_ACE_ALLOW : BD_ACE_DENY;
    if (!bd_add_ace(to, type, ace->Header.AceFlags & 0x1f, ace->Mask, &sid)) return FALSE;
  }
  return TRUE;
}

static void label_from(bd_sd *to, const ACL *acl) {
  const BYTE *at = (const BYTE *)(acl + 1);
  for (WORD i = 0; i < acl->AceCount; i++) {
    const ACCESS_ALLOWED_ACE *ace = (const void *)at;
    const BYTE *sid = (const BYTE *)&ace->SidStart;
    if (ace->Header.AceType == MANDATORY_LABEL_ACE && sid[1] == 1) {
      to->has_label = 1;
      to->label_flags = ace->Header.AceFlags & 0x1f;
      to->label_policy = ace->Mask;
      memcpy(&to->label_rid, sid + 8, 4);
    }
    at += ace->Header.AceSize;
  }
}

BOOL bd_sd_from(bd_sd *to, const void *descriptor) {
  const SECURITY_DESCRIPTOR *absolute = descriptor;
  const SECURITY_DESCRIPTOR_RELATIVE *relative = descriptor;
  const BYTE *owner, *group, *base = descriptor;
  const ACL *dacl, *sacl;
  memset(to, 0, sizeof(*to));
  if (absolute->Revision != SECURITY_DESCRIPTOR_REVISION) return FALSE;
  if (absolute->Control & SE_SELF_RELATIVE) {
    owner = relative->Owner ? base + relative->Owner : NULL;
    group = relative->Group ? base + relative->Group : NULL;
    dacl = relative->Dacl ? (const void *)(base + relative->Dacl) : NULL;
    sacl = relative->Sacl ? (const void *)(base + relative->Sacl) : NULL;
  } else {
    owner = absolute->Owner;
    group = absolute->Group;
    dacl = absolute->Dacl;
    sacl = absolute->Sacl;
  }
  if (owner && !bd_sid_from(&to->owner, owner)) return FALSE;
  if (group && !bd_sid_from(&to->group, group)) return FALSE;
  to->control = absolute->Control & (SE_DACL_PROTECTED | SE_DACL_AUTO_INHERITED | SE_DACL_AUTO_INHERIT_REQ);
  if (absolute->Control & SE_DACL_PRESENT) {
    if (!dacl) to->dacl = BD_DACL_NULL;
    else if (!bd_acl_from(to, dacl)) return FALSE;
  }
  if ((absolute->Control & SE_SACL_PRESENT) && sacl) label_from(to, sacl);
  return TRUE;
}

ULONG bd_acl_to(const bd_sd *sd, void *buffer, ULONG size) {
  ULONG need = sizeof(ACL);
  for (int i = 0; i < sd->ace_count; i++) need += 8 + bd_sid_length(&sd->aces[i].sid);
  if (!buffer || size < need) return need;
  ACL *acl = buffer;
  memset(acl, 0, sizeof(*acl));
  acl->AclRevision = ACL_REVISION;
  acl->AclSize = (WORD)need;
  acl->AceCount = sd->ace_count;
  BYTE *at = (BYTE *)(acl + 1);
  for (int i = 0; i < sd->ace_count; i++) {
    ACCESS_ALLOWED_ACE *ace = (void *)at;
    DWORD length = bd_sid_length(&sd->aces[i].sid);
    ace->Header.AceType = sd->aces[i].type == BD_ACE_ALLOW ? ACCESS_ALLOWED_ACE_TYPE : ACCESS_DENIED_ACE_TYPE;
    ace->Header.AceFlags = sd->aces[i].flags;
    ace->Header.AceSize = (WORD)(8 + length);
    ace->Mask = sd->aces[i].mask;
    memcpy(&ace->SidStart, sd->aces[i].sid.bytes, length);
    at += ace->Header.AceSize;
  }
  return need;
}

static ULONG label_to(const bd_sd *sd, void *buffer) {
  const ULONG need = sizeof(ACL) + 8 + 12;
  if (buffer) {
    bd_sid sid = bd_sid_make(16, 1, sd->label_rid);
    ACL *acl = buffer;
    ACCESS_ALLOWED_ACE *ace = (void *)(acl + 1);
    memset(acl, 0, sizeof(*acl));
    acl->AclRevision = ACL_REVISION;
    acl->AclSize = (WORD)need;
    acl->AceCount = 1;
    ace->Header.AceType = MANDATORY_LABEL_ACE;
    ace->Header.AceFlags = sd->label_flags;
    ace->Header.AceSize = 8 + 12;
    ace->Mask = sd->label_policy;
    memcpy(&ace->SidStart, sid.bytes, 12);
  }
  return need;
}

ULONG bd_sd_to(const bd_sd *sd, SECURITY_INFORMATION wanted, void *buffer, ULONG size) {
  BOOL owner = (wanted & OWNER_SECURITY_INFORMATION) && !bd_sid_none(&sd->owner);
  BOOL group = (wanted & GROUP_SECURITY_INFORMATION) && !bd_sid_none(&sd->group);
  BOOL dacl = (wanted & DACL_SECURITY_INFORMATION) && sd->dacl == BD_DACL_PRESENT;
  BOOL label = (wanted & LABEL_SECURITY_INFORMATION) && sd->has_label;
  ULONG need = sizeof(SECURITY_DESCRIPTOR_RELATIVE);
  if (owner) need += bd_sid_length(&sd->owner);
  if (group) need += bd_sid_length(&sd->group);
  if (label) need += label_to(sd, NULL);
  if (dacl) need += bd_acl_to(sd, NULL, 0);
  if (!buffer || size < need) return need;
  SECURITY_DESCRIPTOR_RELATIVE *head = buffer;
  BYTE *base = buffer, *at = (BYTE *)(head + 1);
  memset(head, 0, sizeof(*head));
  head->Revision = SECURITY_DESCRIPTOR_REVISION;
  head->Control = SE_SELF_RELATIVE;
  if (owner) {
    head->Owner = (DWORD)(at - base);
    memcpy(at, sd->owner.bytes, bd_sid_length(&sd->owner));
    at += bd_sid_length(&sd->owner);
  }
  if (group) {
    head->Group = (DWORD)(at - base);
    memcpy(at, sd->group.bytes, bd_sid_length(&sd->group));
    at += bd_sid_length(&sd->group);
  }
  if (label) {
    head->Sacl = (DWORD)(at - base);
    head->Control |= SE_SACL_PRESENT;
    at += label_to(sd, at);
  }
  if (wanted & DACL_SECURITY_INFORMATION) {
    if (sd->dacl != BD_DACL_ABSENT) head->Control |= SE_DACL_PRESENT;
    head->Control |= sd->control & (SE_DACL_PROTECTED | SE_DACL_AUTO_INHERITED);
  }
  if (dacl) {
    head->Dacl = (DWORD)(at - base);
    bd_acl_to(sd, at, size - (ULONG)(at - base));
  }
  return need;
}

void bd_drop_inherited(bd_sd *sd) {
  WORD kept = 0;
  for (int i = 0; i < sd->ace_count; i++) {
    if (!(sd->aces[i].flags & INHERITED_ACE)) sd->aces[kept++] = sd->aces[i];
  }
  sd->ace_count = kept;
}

/** The rights in an entry that was inherited and now decides: generic ones become the file's. */
static DWORD mapped(DWORD mask) {
  static const GENERIC_MAPPING map = {0x120089, 0x120116, 0x1200a0, 0x1f01ff};
  MapGenericMask(&mask, (GENERIC_MAPPING *)&map);
  return mask;
}

/** One entry of the parent seen from the child; an entry with generic rights or CREATOR OWNER in a directory becomes two, as documented under "ACE Inheritance Rules". */
static BOOL inherit_ace(const bd_ace *ace, BOOL container, const bd_sid *owner, const bd_sid *group, bd_sd *child) {
  const bd_sid creator = bd_sid_make(3, 1, 0u), creator_group = bd_sid_make(3, 1, 1u);
  BYTE onward = container && !(ace->flags & NO_PROPAGATE_INHERIT_ACE) ? ace->flags & (OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE) : 0;
  BOOL effective = ace->flags & (container ? CONTAINER_INHERIT_ACE : OBJECT_INHERIT_ACE);
  if (!effective) {
    /* A directory passes an entry for files on to its own files. */
    return !onward || bd_add_ace(child, ace->type, onward | INHERIT_ONLY_ACE | INHERITED_ACE, ace->mask, &ace->sid);
  }
  bd_sid sid = ace->sid;
  if (bd_sid_equal(&sid, &creator) && !bd_sid_none(owner)) sid = *owner;
  if (bd_sid_equal(&sid, &creator_group) && !bd_sid_none(group)) sid = *group;
  DWORD mask = mapped(ace->mask);
  BOOL split = onward && (mask != ace->mask || !bd_sid_equal(&sid, &ace->sid));
  if (!bd_add_ace(child, ace->type, (split ? 0 : onward) | INHERITED_ACE, mask, &sid)) return FALSE;
  return !split || bd_add_ace(child, ace->type, onward | INHERIT_ONLY_ACE | INHERITED_ACE, ace->mask, &ace->sid);
}

static void inherit_label(const bd_sd *parent, BOOL container, bd_sd *child) {
  BYTE flags = parent->label_flags;
  BYTE onward = container && !(flags & NO_PROPAGATE_INHERIT_ACE) ? flags & (OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE) : 0;
  BOOL effective = flags & (container ? CONTAINER_INHERIT_ACE : OBJECT_INHERIT_ACE);
  if (!parent->has_label || (!effective && !onward)) return;
  child->has_label = 1;
  child->label_policy = parent->label_policy;
  child->label_rid = parent->label_rid;
  child->label_flags = onward | INHERITED_ACE | (effective ? 0 : INHERIT_ONLY_ACE);
}

BOOL bd_inherit(const bd_sd *parent, BOOL container, const bd_sid *owner, const bd_sid *group, bd_sd *child) {
  memset(child, 0, offsetof(bd_sd, aces));
  child->owner = *owner;
  child->group = *group;
  child->dacl = BD_DACL_PRESENT;
  child->control = SE_DACL_AUTO_INHERITED;
  inherit_label(parent, container, child);
  if (parent->dacl != BD_DACL_PRESENT) return TRUE;
  for (int i = 0; i < parent->ace_count; i++) {
    if (!inherit_ace(&parent->aces[i], container, owner, group, child)) return FALSE;
  }
  return TRUE;
}

BOOL bd_merge(const bd_sd *own, const bd_sd *parent, BOOL container, bd_sd *merged) {
  bd_sd inherited;
  if (!bd_inherit(parent, container, &own->owner, &own->group, &inherited)) return FALSE;
  *merged = *own;
  if (!own->has_label) {
    merged->has_label = inherited.has_label;
    merged->label_flags = inherited.label_flags;
    merged->label_policy = inherited.label_policy;
    merged->label_rid = inherited.label_rid;
  }
  if ((own->control & SE_DACL_PROTECTED) || own->dacl == BD_DACL_NULL) return TRUE;
  bd_drop_inherited(merged);
  merged->dacl = BD_DACL_PRESENT;
  merged->control |= SE_DACL_AUTO_INHERITED;
  for (int i = 0; i < inherited.ace_count; i++) {
    const bd_ace *ace = &inherited.aces[i];
    if (!bd_add_ace(merged, ace->type, ace->flags, ace->mask, &ace->sid)) return FALSE;
  }
  return TRUE;
}
