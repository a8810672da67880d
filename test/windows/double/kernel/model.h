/*
 * What the doubles compute with: SIDs, security descriptors and tokens as plain values of fixed size, so that they can lie in memory that several
 * processes share. Nothing here calls the system: sid.c, sddl.c, acl.c and check.c are the same in the double and in double-check.exe.
 */
#ifndef BD_MODEL_H
#define BD_MODEL_H

#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS

/** A SID in its binary form; revision 0 means none. 15 sub-authorities at most: 8 + 4 * 15 bytes. */
typedef struct {
  BYTE bytes[68];
} bd_sid;

enum { BD_MAX_ACES = 48, BD_MAX_GROUPS = 40, BD_MAX_RESTRICTED = 24, BD_SID_TEXT = 190 };

enum { BD_ACE_ALLOW = 0, BD_ACE_DENY = 1 };

typedef struct {
  BYTE type;  /* BD_ACE_ALLOW or BD_ACE_DENY */
  BYTE flags; /* OBJECT_INHERIT_ACE and so on */
  WORD unused;
  DWORD mask;
  bd_sid sid;
} bd_ace;

enum bd_dacl_state { BD_DACL_ABSENT, BD_DACL_NULL, BD_DACL_PRESENT };

typedef struct {
  bd_sid owner, group;
  DWORD dacl; /* enum bd_dacl_state */
  WORD control; /* SE_DACL_PROTECTED and SE_DACL_AUTO_INHERITED only */
  WORD ace_count;
  BYTE has_label, label_flags;
  WORD unused;
  DWORD label_policy; /* SYSTEM_MANDATORY_LABEL_NO_WRITE_UP and so on */
  DWORD label_rid;
  bd_ace aces[BD_MAX_ACES];
} bd_sd;

typedef struct {
  DWORD attributes; /* SE_GROUP_ENABLED, SE_GROUP_USE_FOR_DENY_ONLY and so on */
  bd_sid sid;
} bd_group;

enum { BD_TOKEN_WRITE_RESTRICTED = 1, BD_TOKEN_SANDBOX_INERT = 2, BD_TOKEN_ACCOUNT = 4, BD_TOKEN_FILTERED = 8 };

/** What the double knows about one token object. */
typedef struct {
  LUID id;          /* TOKEN_STATISTICS.TokenId: unique per token object while the server lives */
  DWORD owner_pid;  /* a dead owner makes the record free again */
  DWORD flags;      /* BD_TOKEN_* */
  DWORD integrity;  /* RID of the mandatory label */
  DWORD elevation;  /* TOKEN_ELEVATION_TYPE */
  DWORD lineage;    /* the account the token descends from: tokens of one lineage may be assigned without a privilege */
  DWORD user_attributes; /* SE_GROUP_USE_FOR_DENY_ONLY or 0 */
  bd_sid user, owner, primary_group;
  DWORD group_count, restricted_count;
  ULONGLONG privileges; /* enabled ones, one bit per LUID; filled in by whoever asks for a check */
  bd_group groups[BD_MAX_GROUPS];
  bd_sid restricted[BD_MAX_RESTRICTED];
  bd_sd default_dacl; /* only its DACL */
  DWORD has_object; /* 0: the token object is guarded by what its default DACL was when it was made */
  bd_sd object;     /* otherwise by this */
} bd_token;

#define BD_PRIVILEGE(number) (1ull << (number))
enum { BD_SE_ASSIGN_PRIMARY = 3, BD_SE_SECURITY = 8, BD_SE_TAKE_OWNERSHIP = 9, BD_SE_BACKUP = 17, BD_SE_RESTORE = 18, BD_SE_DEBUG = 20, BD_SE_RELABEL = 32 };

extern const GENERIC_MAPPING bd_map_file, bd_map_process, bd_map_thread, bd_map_token, bd_map_wfp;

/* sid.c */
BOOL bd_sid_none(const bd_sid *sid);
DWORD bd_sid_length(const bd_sid *sid);
BOOL bd_sid_equal(const bd_sid *one, const bd_sid *other);
/** Copies a SID of the system's form; FALSE when it is none or too long. */
BOOL bd_sid_from(bd_sid *to, const void *sid);
bd_sid bd_sid_make(BYTE authority, int count, ...);
/** Reads `S-1-…` or a two-letter SDDL name, up to `end` (NULL: the whole text). */
BOOL bd_sid_parse(const char *text, const char *end, bd_sid *sid);
void bd_sid_print(const bd_sid *sid, char text[BD_SID_TEXT]);

/* sddl.c */
BOOL bd_sddl_parse(const char *text, bd_sd *sd);
/** Numbers instead of names, so that two texts are equal exactly when the descriptors are. Returns the length, or 0 when it does not fit. */
size_t bd_sddl_print(const bd_sd *sd, char *text, size_t size);

/* acl.c */
BOOL bd_sd_from(bd_sd *to, const void *descriptor);
/** Writes the parts named by `wanted` in self-relative form. Returns the size it needs; writes nothing when `size` is smaller. */
ULONG bd_sd_to(const bd_sd *sd, SECURITY_INFORMATION wanted, void *buffer, ULONG size);
BOOL bd_acl_from(bd_sd *to, const ACL *acl);
ULONG bd_acl_to(const bd_sd *sd, void *buffer, ULONG size);
/** The descriptor of a new child without one of its own: inherited entries and label only. */
BOOL bd_inherit(const bd_sd *parent, BOOL container, const bd_sid *owner, const bd_sid *group, bd_sd *child);
/** The explicit entries and label of `own`, then what comes from the parent unless `own` is protected. */
BOOL bd_merge(const bd_sd *own, const bd_sd *parent, BOOL container, bd_sd *merged);
void bd_drop_inherited(bd_sd *sd);
BOOL bd_add_ace(bd_sd *sd, BYTE type, BYTE flags, DWORD mask, const bd_sid *sid);

/* check.c */
NTSTATUS bd_access_check(const bd_sd *sd, const bd_token *token, ACCESS_MASK desired, const GENERIC_MAPPING *map, ACCESS_MASK *granted);
/**
 * What a directory lets one do to its entries whatever their own descriptors say, on NTFS: who may list it may read their attributes, who may delete
 * children may delete them ("File Security and Access Rights").
 */
ACCESS_MASK bd_through_parent(const bd_sd *parent, const bd_token *token);
/** The check of a file, with `more` granted from elsewhere. */
NTSTATUS bd_file_check(const bd_sd *sd, ACCESS_MASK more, const bd_token *token, ACCESS_MASK desired, ACCESS_MASK *granted);
/** The rights for which a write-restricted token is checked twice. */
ACCESS_MASK bd_write_rights(const GENERIC_MAPPING *map);
BOOL bd_token_has(const bd_token *token, const bd_sid *sid);

#endif
