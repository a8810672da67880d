/* What the files of fwpuclnt.dll share. */
#ifndef BD_WFP_API_H
#define BD_WFP_API_H

#include "../common/record.h"
#include "wfp.h"

#include <fwpmu.h>

/* winerror.h, "Windows Filtering Platform Error Codes"; not all mingw headers have them. */
enum {
  E_CONDITION_NOT_FOUND = 0x80320002, E_FILTER_NOT_FOUND = 0x80320003, E_LAYER_NOT_FOUND = 0x80320004, E_PROVIDER_NOT_FOUND = 0x80320005,
  E_SUBLAYER_NOT_FOUND = 0x80320007, E_ALREADY_EXISTS = 0x80320009, E_IN_USE = 0x8032000A, E_DYNAMIC_SESSION = 0x8032000B, E_WRONG_SESSION = 0x8032000C,
  E_NO_TXN = 0x8032000D, E_TXN_IN_PROGRESS = 0x8032000E, E_INCOMPATIBLE_TXN = 0x80320011, E_TIMEOUT = 0x80320012, E_LIFETIME = 0x80320016,
  E_NULL_POINTER = 0x8032001C, E_INVALID_ENUMERATOR = 0x8032001D, E_NULL_NAME = 0x80320023, E_INVALID_ACTION = 0x80320024, E_INVALID_WEIGHT = 0x80320025,
  E_MATCH_TYPE = 0x80320026, E_TYPE = 0x80320027, E_OUT_OF_BOUNDS = 0x80320028, E_DUPLICATE_CONDITION = 0x8032002A, E_FULL = ERROR_NOT_ENOUGH_MEMORY
};

/* fwpmu.h, "Access Right Identifiers". */
enum { ACTRL_ADD = 1, ACTRL_ADD_LINK = 2, ACTRL_BEGIN_READ = 4, ACTRL_BEGIN_WRITE = 8, ACTRL_ENUM = 0x20, ACTRL_OPEN = 0x40, ACTRL_READ = 0x80 };

/* engine.c */
/** Connects to the state on first use. */
DWORD bd_api_ready(void);
/** Begins a recorded call. A result other than 0: return it, after bd_record_end. */
DWORD bd_api_begin(bd_record *record, const char *name);
DWORD bd_api_end(bd_record *record, DWORD result);
/** The session behind a handle, under the lock; NULL: not one. */
bd_session *bd_api_session(HANDLE engine, DWORD *index);
/** May the caller? */
DWORD bd_api_access(ACCESS_MASK desired);
/**
 * The objects that the session changes now: its transaction's, or the live ones when nobody's transaction is open. Leaves the lock held on
 * success.
 */
DWORD bd_api_change(HANDLE engine, ACCESS_MASK right, bd_objects **objects, DWORD *dynamic);
/** The objects that it sees. Leaves the lock held on success. */
DWORD bd_api_view(HANDLE engine, const bd_objects **objects);

/* convert.c */
DWORD bd_api_filter(const FWPM_FILTER0 *given, bd_filter *filter);
/** A copy in the API's form, one block for FwpmFreeMemory0. */
FWPM_FILTER0 *bd_api_filter_copy(const bd_filter *filter);

/* log.c */
void bd_api_log_filter(bd_record *record, const FWPM_FILTER0 *filter);

#endif
