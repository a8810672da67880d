#include <stdlib.h>
#include <windows.h>

#include "feature.h"
#include "sid.h"
#include "token.h"

/* SIDs of nobody, restricting to which shuts out of everything. */
static char launch_sid[] = "S-1-5-21-3623811015-3361044348-30300820-1013";

static HANDLE impersonation(HANDLE token) {
  HANDLE copy = NULL;
  DuplicateTokenEx(token, TOKEN_QUERY | TOKEN_IMPERSONATE, NULL, SecurityImpersonation, TokenImpersonation, &copy);
  return copy;
}

/* This process grants its user everything: under the token it must not open, since its access list names no restricting SID. */
static int check_effect(HANDLE token, struct bh_answer *answer) {
  HANDLE copy = impersonation(token);
  if (!copy || !SetThreadToken(NULL, copy)) {
    bh_fault(&answer->fault, 0, "acting with a restricted token", NULL);
    if (copy) CloseHandle(copy);
    return -1;
  }
  HANDLE process = OpenProcess(PROCESS_VM_WRITE, FALSE, GetCurrentProcessId());
  const DWORD error = process ? 0 : GetLastError();
  RevertToSelf();
  CloseHandle(copy);
  if (process) CloseHandle(process);
  if (error == ERROR_ACCESS_DENIED) return 0;
  return error == 0 ? bh_pretended(answer, "the system has restricting SIDs and lets them decide nothing")
                    : bh_fault(&answer->fault, error, "trying a restricted token", NULL);
}

static int check(HANDLE token, struct bh_answer *answer) {
  if (!IsTokenRestricted(token)) return bh_pretended(answer, "CreateRestrictedToken: the system ignored the restricting SIDs");
  TOKEN_MANDATORY_LABEL *label = bh_token_information(token, TokenIntegrityLevel);
  const DWORD level = label ? *GetSidSubAuthority(label->Label.Sid, (DWORD)*GetSidSubAuthorityCount(label->Label.Sid) - 1) : MAXDWORD;
  free(label);
  if (level > SECURITY_MANDATORY_LOW_RID) return bh_pretended(answer, "SetTokenInformation: the system ignored the integrity level");
  return check_effect(token, answer);
}

void bh_feature_restricted_token(struct bh_answer *answer) {
  char *none[] = {NULL};
  HANDLE token;
  const struct bh_spec spec = {.has_token = true,
                               .tier = BH_TIER_BLIND,
                               .integrity = BH_INTEGRITY_LOW,
                               .launch_sid = launch_sid,
                               .restricting = none};
  answer->ok = false;
  if (bh_token_make(&spec, &token, &answer->fault) < 0) return;
  answer->ok = check(token, answer) == 0;
  CloseHandle(token);
}

/* level: TOKEN_ELEVATION_TYPE, 1 no separate token, 2 elevated, 3 an administrator who is not elevated now. */
void bh_feature_elevation(struct bh_answer *answer) {
  HANDLE token;
  TOKEN_ELEVATION elevation = {0};
  TOKEN_ELEVATION_TYPE type = TokenElevationTypeDefault;
  DWORD size;
  answer->ok = false;
  if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) {
    bh_fault(&answer->fault, 0, "OpenProcessToken", NULL);
    return;
  }
  if (!GetTokenInformation(token, TokenElevation, &elevation, sizeof(elevation), &size) ||
      !GetTokenInformation(token, TokenElevationType, &type, sizeof(type), &size)) {
    bh_fault(&answer->fault, 0, "reading the elevation", NULL);
  } else {
    answer->level = (uint32_t)type;
    answer->ok = elevation.TokenIsElevated != 0;
    if (!answer->ok) bh_pretended(answer, "this process is not elevated");
  }
  CloseHandle(token);
}
