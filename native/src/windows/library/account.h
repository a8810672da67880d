/*
 * The functions that native/windows/accounts.ts declares: local accounts for agents. Names and paths are UTF-16; results are Win32 or
 * network management error codes (lmerr.h), 0 for success. Texts: `*length` is the room, and then what is needed, in characters with the
 * final 0.
 */
#ifndef BULKHEAD_ACCOUNT_H
#define BULKHEAD_ACCOUNT_H

#include <stdint.h>
#include <wchar.h>

#include "export.h"

/* account.c */
BH_EXPORT uint32_t bulkhead_account_make(const wchar_t *name, const wchar_t *comment, const wchar_t *file, const wchar_t *fresh,
                                         const wchar_t *sddl);
BH_EXPORT uint32_t bulkhead_account_read(const wchar_t *name, wchar_t *text, uint32_t *length);
BH_EXPORT uint32_t bulkhead_account_check(const wchar_t *name, const wchar_t *file);
BH_EXPORT uint32_t bulkhead_account_remove(const wchar_t *name);
BH_EXPORT uint32_t bulkhead_account_forget(const wchar_t *sid);
BH_EXPORT uint32_t bulkhead_account_end(const wchar_t *sid);
BH_EXPORT uint32_t bulkhead_account_hide(const wchar_t *name);
BH_EXPORT uint32_t bulkhead_account_show(const wchar_t *name);
BH_EXPORT uint32_t bulkhead_account_hidden(const wchar_t *name, uint32_t *hidden);

/* group.c */
BH_EXPORT uint32_t bulkhead_group_make(const wchar_t *name, const wchar_t *comment);
BH_EXPORT uint32_t bulkhead_group_remove(const wchar_t *name);
BH_EXPORT uint32_t bulkhead_group_members(const wchar_t *name, wchar_t *text, uint32_t *length);
BH_EXPORT uint32_t bulkhead_group_join(const wchar_t *group, const wchar_t *member);
BH_EXPORT uint32_t bulkhead_group_leave(const wchar_t *group, const wchar_t *member);
BH_EXPORT uint32_t bulkhead_rights_read(const wchar_t *sid, wchar_t *text, uint32_t *length);
BH_EXPORT uint32_t bulkhead_rights_add(const wchar_t *sid, const wchar_t *rights);
BH_EXPORT uint32_t bulkhead_rights_clear(const wchar_t *sid);

#endif
