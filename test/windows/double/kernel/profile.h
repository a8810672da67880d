/* Profiles of accounts. */
#ifndef BD_PROFILE_H
#define BD_PROFILE_H

#include "state.h"

/**
 * What a logon does besides the token: with `load`, the profile's directories and its entry in the registry are there afterwards; `environment`
 * gets the block that the account starts with (HeapFree). A Win32 error.
 */
DWORD bd_profile_prepare(HANDLE token, BOOL load, WCHAR **environment);
BOOL bd_profile_install(void);

#endif
