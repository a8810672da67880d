/*
 * accounts.exe <act> …
 *
 * Makes and uses local accounts through documented Win32 calls. Each act is one argument, `verb|argument|argument|…`, and prints one line: the
 * act, a tab, and "ok" or the error number. Verbs: user-add name password, user-password name password, user-del name, user-sid name,
 * group-add name, group-del name, join group name, members group, right name right, whoami, profile-del sid, logon name password,
 * run name password line, run-plain (without a profile), linger (until it is ended), linger-closed (closed to everybody).
 */
#include <windows.h>

#include <lm.h>
#include <ntsecapi.h>
#include <sddl.h>
#include <stdio.h>
#include <userenv.h>
#include <wchar.h>

static DWORD user_add(WCHAR *name, WCHAR *password) {
  USER_INFO_1 info = {.usri1_name = name, .usri1_password = password, .usri1_priv = USER_PRIV_USER, .usri1_flags = UF_SCRIPT};
  return NetUserAdd(NULL, 1, (LPBYTE)&info, NULL);
}

static DWORD user_password(const WCHAR *name, WCHAR *password) {
  USER_INFO_1003 info = {password};
  return NetUserSetInfo(NULL, name, 1003, (LPBYTE)&info, NULL);
}

static DWORD sid_of(const WCHAR *name, BYTE *sid, DWORD size) {
  WCHAR domain[64];
  DWORD domain_length = 64;
  SID_NAME_USE use;
  return LookupAccountNameW(NULL, name, sid, &size, domain, &domain_length, &use) ? 0 : GetLastError();
}

static DWORD user_sid(const WCHAR *name) {
  LPBYTE buffer;
  WCHAR *text;
  DWORD error = NetUserGetInfo(NULL, name, 23, &buffer);
  if (error) return error;
  ConvertSidToStringSidW(((USER_INFO_23 *)buffer)->usri23_user_sid, &text);
  printf("%ls ", text);
  LocalFree(text);
  NetApiBufferFree(buffer);
  return 0;
}

static DWORD group_add(WCHAR *name) {
  LOCALGROUP_INFO_1 info = {name, NULL};
  return NetLocalGroupAdd(NULL, 1, (LPBYTE)&info, NULL);
}

static DWORD join(const WCHAR *group, const WCHAR *name) {
  BYTE sid[SECURITY_MAX_SID_SIZE];
  LOCALGROUP_MEMBERS_INFO_0 member = {sid};
  DWORD error = sid_of(name, sid, sizeof(sid));
  return error ? error : NetLocalGroupAddMembers(NULL, group, 0, (LPBYTE)&member, 1);
}

static DWORD members(const WCHAR *group) {
  LOCALGROUP_MEMBERS_INFO_0 *list;
  DWORD count, total;
  DWORD error = NetLocalGroupGetMembers(NULL, group, 0, (LPBYTE *)&list, MAX_PREFERRED_LENGTH, &count, &total, NULL);
  for (DWORD i = 0; !error && i < count; i++) {
    WCHAR name[64], domain[64];
    DWORD length = 64, domain_length = 64;
    SID_NAME_USE use;
    if (LookupAccountSidW(NULL, list[i].lgrmi0_sid, name, &length, domain, &domain_length, &use)) printf("%ls ", name);
  }
  if (!error) NetApiBufferFree(list);
  return error;
}

static DWORD right(const WCHAR *name, WCHAR *what) {
  BYTE sid[SECURITY_MAX_SID_SIZE];
  LSA_OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes)};
  LSA_UNICODE_STRING text = {(USHORT)(2 * wcslen(what)), (USHORT)(2 * wcslen(what) + 2), what};
  LSA_HANDLE policy;
  DWORD error = sid_of(name, sid, sizeof(sid));
  if (error) return error;
  error = LsaNtStatusToWinError(LsaOpenPolicy(NULL, &attributes, POLICY_CREATE_ACCOUNT | POLICY_LOOKUP_NAMES, &policy));
  if (!error) error = LsaNtStatusToWinError(LsaAddAccountRights(policy, sid, &text, 1));
  return error;
}

static DWORD whoami(void) {
  BYTE buffer[512];
  WCHAR name[64], profile[MAX_PATH], *text;
  DWORD length = 64, size, profile_length = MAX_PATH;
  HANDLE token;
  if (!GetUserNameW(name, &length) || !OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return GetLastError();
  if (!GetTokenInformation(token, TokenUser, buffer, sizeof(buffer), &size)) return GetLastError();
  ConvertSidToStringSidW(((TOKEN_USER *)buffer)->User.Sid, &text);
  if (!GetUserProfileDirectoryW(token, profile, &profile_length)) profile[0] = 0;
  printf("%ls %ls %ls %ls ", name, text, profile, _wgetenv(L"USERPROFILE"));
  return 0;
}

static DWORD logon(const WCHAR *name, const WCHAR *password) {
  HANDLE token;
  if (!LogonUserW(name, L".", password, LOGON32_LOGON_INTERACTIVE, LOGON32_PROVIDER_DEFAULT, &token)) return GetLastError();
  /* Without the privilege to assign it, the token of somebody else starts nothing. */
  WCHAR line[] = L"C:\\windows\\system32\\cmd.exe /c exit 7";
  STARTUPINFOW startup = {.cb = sizeof(startup)};
  PROCESS_INFORMATION info;
  return CreateProcessAsUserW(token, NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &info) ? 0 : GetLastError();
}

static DWORD run(const WCHAR *name, const WCHAR *password, WCHAR *line, DWORD flags) {
  STARTUPINFOW startup = {.cb = sizeof(startup), .dwFlags = STARTF_USESTDHANDLES};
  PROCESS_INFORMATION info;
  DWORD code;
  startup.hStdOutput = startup.hStdError = GetStdHandle(STD_OUTPUT_HANDLE);
  fflush(stdout);
  SetLastError(0);
  if (!CreateProcessWithLogonW(name, L".", password, flags, NULL, line, CREATE_SUSPENDED, NULL, NULL, &startup, &info)) {
    /* Bare Wine says nothing about why. */
    return GetLastError() ? GetLastError() : ERROR_INVALID_FUNCTION;
  }
  printf("pid %lu\n", info.dwProcessId);
  fflush(stdout);
  ResumeThread(info.hThread);
  WaitForSingleObject(info.hProcess, INFINITE);
  GetExitCodeProcess(info.hProcess, &code);
  return code;
}

static DWORD linger(const WCHAR *list) {
  PSECURITY_DESCRIPTOR descriptor;
  if (list && (!ConvertStringSecurityDescriptorToSecurityDescriptorW(list, SDDL_REVISION_1, &descriptor, NULL) ||
               !SetKernelObjectSecurity(GetCurrentProcess(), DACL_SECURITY_INFORMATION, descriptor)))
    return GetLastError();
  printf("lingers\n");
  fflush(stdout);
  Sleep(INFINITE);
  return 0;
}

static DWORD act(WCHAR *fields[4]) {
  const WCHAR *verb = fields[0];
  if (wcscmp(verb, L"user-add") == 0) return user_add(fields[1], fields[2]);
  if (wcscmp(verb, L"user-password") == 0) return user_password(fields[1], fields[2]);
  if (wcscmp(verb, L"user-del") == 0) return NetUserDel(NULL, fields[1]);
  if (wcscmp(verb, L"user-sid") == 0) return user_sid(fields[1]);
  if (wcscmp(verb, L"group-add") == 0) return group_add(fields[1]);
  if (wcscmp(verb, L"group-del") == 0) return NetLocalGroupDel(NULL, fields[1]);
  if (wcscmp(verb, L"join") == 0) return join(fields[1], fields[2]);
  if (wcscmp(verb, L"members") == 0) return members(fields[1]);
  if (wcscmp(verb, L"right") == 0) return right(fields[1], fields[2]);
  if (wcscmp(verb, L"whoami") == 0) return whoami();
  if (wcscmp(verb, L"profile-del") == 0) return DeleteProfileW(fields[1], NULL, NULL) ? 0 : GetLastError();
  if (wcscmp(verb, L"logon") == 0) return logon(fields[1], fields[2]);
  if (wcscmp(verb, L"run") == 0) return run(fields[1], fields[2], fields[3], LOGON_WITH_PROFILE);
  if (wcscmp(verb, L"run-plain") == 0) return run(fields[1], fields[2], fields[3], 0);
  if (wcscmp(verb, L"linger") == 0) return linger(NULL);
  if (wcscmp(verb, L"linger-closed") == 0) return linger(L"D:P");
  return ERROR_INVALID_FUNCTION;
}

int wmain(int count, WCHAR **arguments);

int wmain(int count, WCHAR **arguments) {
  for (int i = 1; i < count; i++) {
    WCHAR text[4096], empty[] = L"", *fields[4] = {empty, empty, empty, empty}, *next;
    wcsncpy(text, arguments[i], 4095);
    text[4095] = 0;
    int field = 0;
    for (WCHAR *part = text; part && field < 4; part = next) {
      next = field < 3 ? wcschr(part, L'|') : NULL;
      if (next) *next++ = 0;
      fields[field++] = part;
    }
    DWORD error = act(fields);
    if (error) printf("%ls\t%lu\n", arguments[i], error);
    else printf("%ls\tok\n", arguments[i]);
    fflush(stdout);
  }
  return 0;
}
