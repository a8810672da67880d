/*
 * Who may add filters. By default that is administrators and the system's own network services ("Access Control", Windows Filtering
 * Platform). One inheritable entry on the filter engine, made once by an elevated setup, lets one user do it without elevation: it reaches
 * the containers that objects are added to, and the layers that filters are attached to.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <windows.h>
/* After windows.h. */
#include <sddl.h>

#include "library.h"
#include "wfp-api.h"

/* fwpmu.h, "Access Right Identifiers". */
#define ACTRL_ADD 0x001
#define ACTRL_ADD_LINK 0x002
#define ACTRL_BEGIN_READ_TXN 0x004
#define ACTRL_BEGIN_WRITE_TXN 0x008
#define ACTRL_OPEN 0x040
/* READ_CONTROL: to see later, without elevation, that it is there. */
#define GRANTED (READ_CONTROL | ACTRL_OPEN | ACTRL_BEGIN_READ_TXN | ACTRL_BEGIN_WRITE_TXN | ACTRL_ADD | ACTRL_ADD_LINK)
#define INHERITED_BY_ALL (CONTAINER_INHERIT_ACE | OBJECT_INHERIT_ACE)

static bool is_ours(const ACE_HEADER *header, PSID user) {
  if (header->AceType != ACCESS_ALLOWED_ACE_TYPE || header->AceFlags != INHERITED_BY_ALL) return false;
  const ACCESS_ALLOWED_ACE *ace = (const ACCESS_ALLOWED_ACE *)header;
  return ace->Mask == GRANTED && EqualSid((PSID)&ace->SidStart, user);
}

static DWORD find_ours(PACL list, PSID user, bool *found) {
  *found = false;
  for (DWORD i = 0; list && i < list->AceCount; i++) {
    void *ace;
    if (!GetAce(list, i, &ace)) return GetLastError();
    if (is_ours(ace, user)) *found = true;
  }
  return 0;
}

/* A copy of `list` without our entry, and with it again at the end when `with` is true. free(). */
static DWORD rewrite(PACL list, PSID user, bool with, PACL *made) {
  const DWORD own = sizeof(ACCESS_ALLOWED_ACE) - sizeof(DWORD) + GetLengthSid(user);
  const DWORD size = (list ? list->AclSize : sizeof(ACL)) + own;
  const DWORD revision = list && list->AclRevision > ACL_REVISION ? list->AclRevision : ACL_REVISION;
  PACL copy = calloc(1, size);
  if (!copy) return ERROR_OUTOFMEMORY;
  DWORD error = InitializeAcl(copy, size, revision) ? 0 : GetLastError();
  for (DWORD i = 0; list && i < list->AceCount && error == 0; i++) {
    void *ace;
    if (!GetAce(list, i, &ace)) {
      error = GetLastError();
    } else if (!is_ours(ace, user) && !AddAce(copy, revision, MAXDWORD, ace, ((ACE_HEADER *)ace)->AceSize)) {
      error = GetLastError();
    }
  }
  if (error == 0 && with && !AddAccessAllowedAceEx(copy, revision, INHERITED_BY_ALL, GRANTED, user)) error = GetLastError();
  if (error != 0) {
    free(copy);
    return error;
  }
  *made = copy;
  return 0;
}

static DWORD change(struct bh_wfp_api *api, HANDLE engine, PSID user, int32_t wanted, int32_t *present, const char **step) {
  PACL list = NULL, made = NULL;
  PSECURITY_DESCRIPTOR descriptor = NULL;
  bool found;
  *step = "FwpmEngineGetSecurityInfo0";
  DWORD error = api->engine_get_security(engine, DACL_SECURITY_INFORMATION, NULL, NULL, &list, NULL, &descriptor);
  if (error != 0) return error;
  *step = "reading the access list of the filter engine";
  error = find_ours(list, user, &found);
  /* No list at all grants everything to everybody: an entry in a new one would take that away. */
  if (error == 0) *present = found || !list ? 1 : 0;
  if (error == 0 && wanted >= 0 && found != (wanted == 1) && list) {
    error = rewrite(list, user, wanted == 1, &made);
    if (error == 0) {
      *step = "FwpmEngineSetSecurityInfo0";
      error = api->engine_set_security(engine, DACL_SECURITY_INFORMATION, NULL, NULL, made, NULL);
    }
    if (error == 0) *present = wanted;
  }
  free(made);
  void *memory = descriptor;
  api->free_memory(&memory);
  return error;
}

uint32_t bulkhead_wfp_access(const wchar_t *user, int32_t wanted, int32_t *present, const char **step) {
  static wchar_t name[] = L"Bulkhead setup";
  struct bh_wfp_api api;
  FWPM_SESSION0 session;
  HANDLE engine = NULL;
  PSID sid = NULL;
  *present = 0;
  *step = "the user's SID";
  if (!ConvertStringSidToSidW(user, &sid)) return GetLastError();
  memset(&session, 0, sizeof(session));
  session.displayData.name = name;
  DWORD error = bh_wfp_load(&api, step);
  if (error == 0) {
    *step = "FwpmEngineOpen0";
    /* Not dynamic: access lists can only be changed outside of such a session. */
    error = api.engine_open(NULL, RPC_C_AUTHN_WINNT, NULL, &session, &engine);
  }
  if (error == 0) {
    error = change(&api, engine, sid, wanted, present, step);
    api.engine_close(engine);
  }
  LocalFree(sid);
  return error;
}
