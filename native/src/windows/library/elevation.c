#include <windows.h>

#include "account.h"

/* Whether this process acts as an administrator: the group is in its token and not for denying only ("CheckTokenMembership"). */
uint32_t bulkhead_elevated(uint32_t *elevated) {
  BYTE sid[SECURITY_MAX_SID_SIZE];
  DWORD size = sizeof(sid);
  BOOL member = FALSE;
  *elevated = 0;
  if (!CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, sid, &size) || !CheckTokenMembership(NULL, sid, &member)) return GetLastError();
  *elevated = member != FALSE;
  return 0;
}
