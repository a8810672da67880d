/* What the doubles' own programs ask of the DLL. */
#include "token.h"

BOOL WINAPI BhDoubleFirstToken(HANDLE *token);

/** The token for a run's first program: NULL for the process's own, or an ordinary user's when the configuration says `elevated 0`. */
__declspec(dllexport) BOOL WINAPI BhDoubleFirstToken(HANDLE *token) {
  bd_frame frame = bd_enter();
  *token = NULL;
  BOOL good = bd_shared->elevated || bd_token_ordinary(token) == STATUS_SUCCESS;
  bd_leave(frame);
  return good;
}
