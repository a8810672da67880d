/* Local accounts and groups, their rights and profiles: what the system's account database and its local security authority would keep. */
#ifndef BD_ACCOUNTS_H
#define BD_ACCOUNTS_H

#include "state.h"

/* All under the lock, and pointers hold only as long as it is. Names compare without case; a domain before the name may be "." or the machine's. */
bd_account *bd_account_named(const WCHAR *name);
bd_account *bd_account_with(const bd_sid *sid);
bd_account *bd_account_free(void);
bd_sid bd_account_sid(const bd_account *account);
bd_local_group *bd_group_named(const WCHAR *name);
bd_local_group *bd_group_with(const bd_sid *sid);
bd_local_group *bd_group_free(void);
BOOL bd_group_has(const bd_local_group *group, const bd_sid *sid);
bd_rights *bd_rights_of(const bd_sid *sid, BOOL make);
BOOL bd_has_right(const bd_sid *sid, const WCHAR *right);
bd_profile *bd_profile_of(const bd_sid *sid, BOOL make);
/** Users, Administrators and the like, when the state is made. */
void bd_accounts_prepare(void);

/** Is the caller an administrator with all of its rights? */
BOOL bd_caller_is_administrator(void);
/** A primary token for an account after a logon with its password, as a Win32 error. `interactive`: the account needs the right to log on locally. */
DWORD bd_logon(const WCHAR *name, const WCHAR *domain, const WCHAR *password, BOOL interactive, HANDLE *token);

BOOL bd_accounts_install(void);
BOOL bd_lookup_install(void);
BOOL bd_logon_install(void);

#endif
