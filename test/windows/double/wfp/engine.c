/*
 * fwpuclnt.dll, the double: engine, sessions, transactions. It takes the place of Wine's library in system32. Its state is in the directory of
 * the kernel double when that is in the process, otherwise in C:\wfp-double.
 */
#include "api.h"

#include <stdlib.h>
#include <string.h>

#define API __declspec(dllexport) DWORD WINAPI

typedef BOOL(WINAPI *caller_of)(bd_token *token, size_t size);
typedef void(WINAPI *bracket)(void);

static caller_of kernel_caller;
static bracket kernel_enter, kernel_leave;

static DWORD connect_once(void) {
  static volatile LONG state;
  WCHAR directory[MAX_PATH] = L"C:\\wfp-double";
  HMODULE kernel = GetModuleHandleW(L"kernel-double.dll");
  if (state == 2) return 0;
  if (InterlockedCompareExchange(&state, 1, 0) != 0) {
    while (state == 1) Sleep(1);
    return state == 2 ? 0 : RPC_S_SERVER_UNAVAILABLE;
  }
  if (kernel) {
    GetModuleFileNameW(kernel, directory, MAX_PATH);
    *wcsrchr(directory, L'\\') = 0;
    kernel_caller = (caller_of)(void *)GetProcAddress(kernel, "BhDoubleCaller");
    kernel_enter = (bracket)(void *)GetProcAddress(kernel, "BhDoubleEnter");
    kernel_leave = (bracket)(void *)GetProcAddress(kernel, "BhDoubleLeave");
  }
  /* The state is the double's, not the caller's: its own files are not subject to the caller's rights. */
  if (kernel_enter) kernel_enter();
  if (!kernel) CreateDirectoryW(directory, NULL);
  BOOL good = bd_record_open(directory) && bd_wfp_open(directory);
  if (kernel_leave) kernel_leave();
  state = good ? 2 : 0;
  return good ? 0 : RPC_S_SERVER_UNAVAILABLE;
}

DWORD bd_api_ready(void) {
  return connect_once();
}

DWORD bd_api_begin(bd_record *record, const char *name) {
  DWORD error = bd_api_ready();
  memset(record, 0, sizeof(record->call) + sizeof(record->number));
  if (error) return error;
  if (kernel_enter) kernel_enter();
  bd_record_begin(record, name);
  return record->injected ? record->result : 0;
}

DWORD bd_api_end(bd_record *record, DWORD result) {
  if (!record->call) return result;
  bd_record_end(record, result);
  if (kernel_leave) kernel_leave();
  return result;
}

/** Without the kernel double a caller is an administrator or nobody, as Wine says. */
static BOOL caller(bd_token *token) {
  BYTE administrators[SECURITY_MAX_SID_SIZE];
  DWORD size = sizeof(administrators);
  BOOL member = FALSE;
  if (kernel_caller) return kernel_caller(token, sizeof(*token));
  memset(token, 0, sizeof(*token));
  token->integrity = SECURITY_MANDATORY_MEDIUM_RID;
  token->user = bd_sid_make(1, 1, 0u);
  if (!CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, administrators, &size)) return FALSE;
  if (CheckTokenMembership(NULL, administrators, &member) && member) token->user = bd_sid_make(5, 2, 32u, 544u);
  return TRUE;
}

DWORD bd_api_access(ACCESS_MASK desired) {
  bd_token token;
  ACCESS_MASK granted;
  if (!caller(&token)) return ERROR_ACCESS_DENIED;
  return bd_access_check(&bd_wfp_shared->access, &token, desired, &bd_map_engine, &granted) ? ERROR_ACCESS_DENIED : 0;
}

static HANDLE handle_of(DWORD index) {
  return (HANDLE)(ULONG_PTR)(bd_wfp_shared->sessions[index].serial << 12 | (index + 1) << 2);
}

bd_session *bd_api_session(HANDLE engine, DWORD *index) {
  DWORD at = ((DWORD)(ULONG_PTR)engine >> 2) & 0x3ff;
  if (!at || at > BD_WFP_SESSIONS || handle_of(at - 1) != engine || bd_wfp_shared->sessions[at - 1].pid != GetCurrentProcessId()) return NULL;
  *index = at - 1;
  return &bd_wfp_shared->sessions[at - 1];
}

/** Only one session changes objects at a time; others wait ("FWPM_SESSION0": txnWaitTimeoutInMSec, 15 seconds by default). */
static DWORD wait_for_turn(HANDLE engine, DWORD *index, bd_session **session) {
  for (int tries = 0; tries < 15000; tries++) {
    bd_wfp_lock();
    bd_wfp_purge();
    *session = bd_api_session(engine, index);
    if (!*session) {
      bd_wfp_unlock();
      return ERROR_INVALID_HANDLE;
    }
    if (!bd_wfp_shared->transaction || bd_wfp_shared->transaction == *index + 1) return 0;
    bd_wfp_unlock();
    Sleep(1);
  }
  return E_TIMEOUT;
}

enum { READING = 0x10000 };

DWORD bd_api_change(HANDLE engine, ACCESS_MASK right, bd_objects **objects, DWORD *dynamic) {
  bd_session *session;
  DWORD index, error = bd_api_access(right);
  if (error) return error;
  error = wait_for_turn(engine, &index, &session);
  if (error) return error;
  if (session->flags & READING) {
    bd_wfp_unlock();
    return E_INCOMPATIBLE_TXN;
  }
  *objects = bd_wfp_shared->transaction ? &bd_wfp_shared->staged : &bd_wfp_shared->live;
  *dynamic = session->flags & FWPM_SESSION_FLAG_DYNAMIC ? index + 1 : 0;
  return 0;
}

DWORD bd_api_view(HANDLE engine, const bd_objects **objects) {
  DWORD index, error = bd_api_access(ACTRL_READ);
  if (error) return error;
  bd_wfp_lock();
  bd_wfp_purge();
  if (!bd_api_session(engine, &index)) {
    bd_wfp_unlock();
    return ERROR_INVALID_HANDLE;
  }
  *objects = bd_wfp_shared->transaction == index + 1 ? &bd_wfp_shared->staged : &bd_wfp_shared->live;
  return 0;
}

static DWORD open_session(const FWPM_SESSION0 *session, HANDLE *engine) {
  DWORD error = bd_api_access(ACTRL_OPEN);
  if (error) return error;
  if (!engine) return E_NULL_POINTER;
  error = ERROR_NOT_ENOUGH_MEMORY;
  bd_wfp_lock();
  bd_wfp_purge();
  for (DWORD i = 0; i < BD_WFP_SESSIONS; i++) {
    bd_session *slot = &bd_wfp_shared->sessions[i];
    if (slot->pid) continue;
    slot->pid = GetCurrentProcessId();
    slot->flags = session ? session->flags & FWPM_SESSION_FLAG_DYNAMIC : 0;
    slot->serial = ++bd_wfp_shared->next_serial & 0xfffff;
    *engine = handle_of(i);
    error = 0;
    break;
  }
  bd_wfp_unlock();
  return error;
}

API FwpmEngineOpen0(const wchar_t *server, UINT32 authentication, SEC_WINNT_AUTH_IDENTITY_W *identity, const FWPM_SESSION0 *session, HANDLE *engine) {
  bd_record record;
  DWORD error = bd_api_begin(&record, "FwpmEngineOpen0");
  if (!error || record.injected) {
    bd_put_wide(&record, "server", server, -1);
    bd_put_number(&record, "authentication", authentication);
    bd_put_bool(&record, "identity", identity != NULL);
    bd_put_hex(&record, "flags", session ? session->flags : 0);
    bd_put_wide(&record, "name", session ? session->displayData.name : NULL, -1);
  }
  if (!error) error = open_session(session, engine);
  return bd_api_end(&record, error);
}

API FwpmEngineClose0(HANDLE engine) {
  bd_record record;
  DWORD index, error = bd_api_begin(&record, "FwpmEngineClose0");
  if (!error) {
    bd_wfp_lock();
    if (bd_api_session(engine, &index)) bd_wfp_end_session(index);
    else error = ERROR_INVALID_HANDLE;
    bd_wfp_unlock();
  }
  return bd_api_end(&record, error);
}

static DWORD begin_transaction(HANDLE engine, UINT32 flags) {
  bd_session *session;
  DWORD index, error = bd_api_access(flags & FWPM_TXN_READ_ONLY ? ACTRL_BEGIN_READ : ACTRL_BEGIN_WRITE);
  if (error) return error;
  error = wait_for_turn(engine, &index, &session);
  if (error) return error;
  if (bd_wfp_shared->transaction == index + 1 || (session->flags & READING)) {
    error = E_TXN_IN_PROGRESS;
  } else if (flags & FWPM_TXN_READ_ONLY) {
    session->flags |= READING;
  } else {
    bd_wfp_shared->staged = bd_wfp_shared->live;
    bd_wfp_shared->transaction = index + 1;
  }
  bd_wfp_unlock();
  return error;
}

API FwpmTransactionBegin0(HANDLE engine, UINT32 flags) {
  bd_record record;
  DWORD error = bd_api_begin(&record, "FwpmTransactionBegin0");
  if (!error || record.injected) bd_put_hex(&record, "flags", flags);
  if (!error) error = begin_transaction(engine, flags);
  return bd_api_end(&record, error);
}

static DWORD end_transaction(HANDLE engine, BOOL commit) {
  DWORD index, error = 0;
  bd_wfp_lock();
  bd_session *session = bd_api_session(engine, &index);
  if (!session) {
    error = ERROR_INVALID_HANDLE;
  } else if (session->flags & READING) {
    session->flags &= ~(DWORD)READING;
  } else if (bd_wfp_shared->transaction != index + 1) {
    error = E_NO_TXN;
  } else {
    if (commit) bd_wfp_shared->live = bd_wfp_shared->staged;
    bd_wfp_shared->transaction = 0;
  }
  bd_wfp_unlock();
  return error;
}

API FwpmTransactionCommit0(HANDLE engine) {
  bd_record record;
  DWORD error = bd_api_begin(&record, "FwpmTransactionCommit0");
  if (!error) error = end_transaction(engine, TRUE);
  return bd_api_end(&record, error);
}

API FwpmTransactionAbort0(HANDLE engine) {
  bd_record record;
  DWORD error = bd_api_begin(&record, "FwpmTransactionAbort0");
  if (!error) error = end_transaction(engine, FALSE);
  return bd_api_end(&record, error);
}

API FwpmEngineGetOption0(HANDLE engine, FWPM_ENGINE_OPTION option, FWP_VALUE0 **value) {
  bd_record record;
  DWORD index, error = bd_api_begin(&record, "FwpmEngineGetOption0");
  if (!error || record.injected) bd_put_number(&record, "option", option);
  if (!error) error = bd_api_access(ACTRL_READ);
  if (!error) {
    bd_wfp_lock();
    if (!bd_api_session(engine, &index)) error = ERROR_INVALID_HANDLE;
    bd_wfp_unlock();
  }
  if (!error && !(*value = calloc(1, sizeof(**value)))) error = ERROR_NOT_ENOUGH_MEMORY;
  if (!error) {
    /* Every option is off, which is a number too. */
    (*value)->type = FWP_UINT32;
  }
  return bd_api_end(&record, error);
}

API FwpmEngineGetSecurityInfo0(HANDLE engine, SECURITY_INFORMATION info, PSID *owner, PSID *group, PACL *dacl, PACL *sacl, PSECURITY_DESCRIPTOR *descriptor) {
  bd_record record;
  DWORD index, error = bd_api_begin(&record, "FwpmEngineGetSecurityInfo0");
  if (!error || record.injected) bd_put_hex(&record, "info", info);
  if (!error) error = bd_api_access(READ_CONTROL);
  if (!error) {
    bd_wfp_lock();
    if (!bd_api_session(engine, &index)) error = ERROR_INVALID_HANDLE;
    bd_wfp_unlock();
  }
  ULONG size = error ? 0 : bd_sd_to(&bd_wfp_shared->access, info, NULL, 0);
  if (!error && !(*descriptor = calloc(1, size))) error = ERROR_NOT_ENOUGH_MEMORY;
  if (!error) {
    BOOL present, defaulted;
    bd_sd_to(&bd_wfp_shared->access, info, *descriptor, size);
    if (owner) GetSecurityDescriptorOwner(*descriptor, owner, &defaulted);
    if (group) GetSecurityDescriptorGroup(*descriptor, group, &defaulted);
    if (dacl) GetSecurityDescriptorDacl(*descriptor, &present, dacl, &defaulted);
    if (sacl) *sacl = NULL;
  }
  return bd_api_end(&record, error);
}

static DWORD set_access(HANDLE engine, const ACL *dacl) {
  bd_sd sd = bd_wfp_shared->access;
  DWORD index, error = bd_api_access(WRITE_DAC);
  if (error) return error;
  if (!dacl || !bd_acl_from(&sd, dacl)) return ERROR_INVALID_ACL;
  bd_wfp_lock();
  const bd_session *session = bd_api_session(engine, &index);
  if (!session) error = ERROR_INVALID_HANDLE;
  else if (session->flags & FWPM_SESSION_FLAG_DYNAMIC) error = E_DYNAMIC_SESSION;
  else bd_wfp_shared->access = sd;
  bd_wfp_unlock();
  return error;
}

API FwpmEngineSetSecurityInfo0(HANDLE engine, SECURITY_INFORMATION info, const SID *owner, const SID *group, const ACL *dacl, const ACL *sacl) {
  bd_record record;
  DWORD error = bd_api_begin(&record, "FwpmEngineSetSecurityInfo0");
  if (!error || record.injected) {
    bd_sd sd = {0};
    char text[4096];
    bd_put_hex(&record, "info", info);
    if (dacl && bd_acl_from(&sd, dacl) && bd_sddl_print(&sd, text, sizeof(text))) bd_put_text(&record, "dacl", text);
  }
  if (!error && (owner || group || sacl || info != DACL_SECURITY_INFORMATION)) error = ERROR_INVALID_PARAMETER;
  if (!error) error = set_access(engine, dacl);
  return bd_api_end(&record, error);
}

__declspec(dllexport) void WINAPI FwpmFreeMemory0(void **memory) {
  if (!memory) return;
  free(*memory);
  *memory = NULL;
}
