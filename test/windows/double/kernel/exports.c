/* What the doubles' own programs ask of the DLL. */
#include "../common/record.h"
#include "token.h"

BOOL WINAPI BhDoubleFirstToken(HANDLE *token);
BOOL WINAPI BhDoubleCaller(bd_token *token, size_t size);
void WINAPI BhDoubleEnter(void);
void WINAPI BhDoubleLeave(void);

/** For double-run.exe alone, whose own calls are nobody's business: the token for a run's first program: NULL for the process's own, or an ordinary user's when the configuration says `elevated 0`. */
__declspec(dllexport) BOOL WINAPI BhDoubleFirstToken(HANDLE *token) {
  bd_frame frame = bd_enter();
  *token = NULL;
  bd_record_nothing();
  BOOL good = bd_shared->elevated || bd_token_ordinary(token) == STATUS_SUCCESS;
  bd_leave(frame);
  return good;
}

/** Who asks, for other doubles in the process; FALSE also when they were built from another model.h. */
__declspec(dllexport) BOOL WINAPI BhDoubleCaller(bd_token *token, size_t size) {
  if (size != sizeof(*token)) return FALSE;
  bd_frame frame = bd_enter();
  NTSTATUS status = bd_token_caller(token);
  bd_leave(frame);
  return status == STATUS_SUCCESS;
}

/* Between these two the calling thread acts for a double, to which its own files are open. */
__declspec(dllexport) void WINAPI BhDoubleEnter(void) {
  (void)bd_enter();
}

__declspec(dllexport) void WINAPI BhDoubleLeave(void) {
  const bd_frame frame = {GetLastError()};
  bd_leave(frame);
}
