/*
 * confine.exe [option …] -- <command line>
 *
 * Does what a sandbox would, through documented Win32 calls only, and starts the command line under the token it made:
 *   --sd PATH SDDL      SetNamedSecurityInfoW: owner, DACL (with its protection) and label of the SDDL text
 *   --raw-sd PATH SDDL  SetFileSecurityW with the same
 *   --mkdir PATH
 *   --restrict SID      adds a restricting SID      --deny-only SID   adds a SID to disable
 *   --flags NUMBER      CreateRestrictedToken's flags
 *   --integrity RID     --default-dacl SDDL
 *   --lenient           a descriptor that cannot be set is reported and not the end: for the control run without the double
 *   --show              prints what the token says about itself: user, integrity, restricting SIDs, deny-only groups
 *   --print-sd PATH     prints the SDDL read back
 * Ends with the command's exit code, or 200 and a line on stderr.
 */
#include <windows.h>

#include <aclapi.h>
#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

static BOOL lenient;

static void fail(const WCHAR *what, DWORD error) {
  fprintf(stderr, "confine: %ls: %lu\n", what, error);
  exit(200);
}

static PSECURITY_DESCRIPTOR descriptor_from(const WCHAR *sddl) {
  PSECURITY_DESCRIPTOR descriptor;
  if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl, 1, &descriptor, NULL)) fail(sddl, GetLastError());
  return descriptor;
}

static SECURITY_INFORMATION parts(PSECURITY_DESCRIPTOR descriptor, PSID *owner, PACL *dacl, PACL *label) {
  SECURITY_DESCRIPTOR_CONTROL control;
  SECURITY_INFORMATION info = 0;
  BOOL present, defaulted;
  DWORD revision;
  GetSecurityDescriptorControl(descriptor, &control, &revision);
  if (GetSecurityDescriptorOwner(descriptor, owner, &defaulted) && *owner) info |= OWNER_SECURITY_INFORMATION;
  if (GetSecurityDescriptorDacl(descriptor, &present, dacl, &defaulted) && present) {
    info |= DACL_SECURITY_INFORMATION;
    info |= control & SE_DACL_PROTECTED ? PROTECTED_DACL_SECURITY_INFORMATION : UNPROTECTED_DACL_SECURITY_INFORMATION;
  }
  if (GetSecurityDescriptorSacl(descriptor, &present, label, &defaulted) && present) info |= LABEL_SECURITY_INFORMATION;
  return info;
}

static void set_descriptor(WCHAR *path, const WCHAR *sddl, BOOL raw) {
  PSECURITY_DESCRIPTOR descriptor = descriptor_from(sddl);
  PSID owner = NULL;
  PACL dacl = NULL, label = NULL;
  SECURITY_INFORMATION info = parts(descriptor, &owner, &dacl, &label);
  DWORD error = raw ? SetFileSecurityW(path, info, descriptor) ? 0 : GetLastError()
                    : SetNamedSecurityInfoW(path, SE_FILE_OBJECT, info, owner, NULL, dacl, label);
  if (error && lenient) fprintf(stderr, "confine: %ls: %lu\n", path, error);
  else if (error) fail(path, error);
}

static void print_sid(const char *what, PSID sid, DWORD attributes) {
  WCHAR *text = NULL;
  ConvertSidToStringSidW(sid, &text);
  printf("%s %ls %lx\n", what, text, attributes);
  LocalFree(text);
}

static const WCHAR *flag_names(BYTE flags) {
  static WCHAR text[16];
  text[0] = 0;
  if (flags & OBJECT_INHERIT_ACE) wcscat(text, L"OI");
  if (flags & CONTAINER_INHERIT_ACE) wcscat(text, L"CI");
  if (flags & NO_PROPAGATE_INHERIT_ACE) wcscat(text, L"NP");
  if (flags & INHERIT_ONLY_ACE) wcscat(text, L"IO");
  if (flags & INHERITED_ACE) wcscat(text, L"ID");
  return text;
}

static void print_acl(PACL acl) {
  for (WORD i = 0; acl && i < acl->AceCount; i++) {
    ACCESS_ALLOWED_ACE *ace;
    WCHAR *sid = NULL;
    GetAce(acl, i, (void **)&ace);
    ConvertSidToStringSidW(&ace->SidStart, &sid);
    const WCHAR *type = ace->Header.AceType == 0 ? L"A" : ace->Header.AceType == 1 ? L"D" : L"ML";
    printf("(%ls;%ls;0x%lx;;;%ls)", type, flag_names(ace->Header.AceFlags), ace->Mask, sid);
    LocalFree(sid);
  }
}

static void print_descriptor(WCHAR *path) {
  PSECURITY_DESCRIPTOR descriptor;
  PSID owner = NULL;
  PACL dacl = NULL, label = NULL;
  SECURITY_DESCRIPTOR_CONTROL control;
  DWORD revision;
  WCHAR *sid = NULL;
  SECURITY_INFORMATION info = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION | LABEL_SECURITY_INFORMATION;
  DWORD error = GetNamedSecurityInfoW(path, SE_FILE_OBJECT, info, &owner, NULL, &dacl, &label, &descriptor);
  if (error && lenient) return;
  if (error) fail(path, error);
  GetSecurityDescriptorControl(descriptor, &control, &revision);
  ConvertSidToStringSidW(owner, &sid);
  printf("sd %ls O:%lsD:%s%s", path, sid, control & SE_DACL_PROTECTED ? "P" : "", control & SE_DACL_AUTO_INHERITED ? "AI" : "");
  print_acl(dacl);
  if (label) {
    printf("S:");
    print_acl(label);
  }
  printf("\n");
}

static void show(HANDLE token) {
  BYTE buffer[4096];
  const TOKEN_GROUPS *groups = (const void *)buffer;
  DWORD size;
  if (GetTokenInformation(token, TokenUser, buffer, sizeof(buffer), &size)) print_sid("user", ((TOKEN_USER *)buffer)->User.Sid, 0);
  if (GetTokenInformation(token, TokenIntegrityLevel, buffer, sizeof(buffer), &size)) print_sid("integrity", ((TOKEN_MANDATORY_LABEL *)buffer)->Label.Sid, 0);
  if (GetTokenInformation(token, TokenRestrictedSids, buffer, sizeof(buffer), &size)) {
    for (DWORD i = 0; i < groups->GroupCount; i++) print_sid("restricting", groups->Groups[i].Sid, 0);
  }
  if (GetTokenInformation(token, TokenGroups, buffer, sizeof(buffer), &size)) {
    for (DWORD i = 0; i < groups->GroupCount; i++) {
      if (groups->Groups[i].Attributes & SE_GROUP_USE_FOR_DENY_ONLY) print_sid("deny-only", groups->Groups[i].Sid, 0);
    }
  }
  if (GetTokenInformation(token, TokenPrivileges, buffer, sizeof(buffer), &size)) printf("privileges %lu\n", ((TOKEN_PRIVILEGES *)buffer)->PrivilegeCount);
  printf("restricted %d\n", IsTokenRestricted(token));
  fflush(stdout);
}

static PSID sid_from(const WCHAR *text) {
  PSID sid;
  if (!ConvertStringSidToSidW(text, &sid)) fail(text, GetLastError());
  return sid;
}

static void set_integrity(HANDLE token, const WCHAR *rid) {
  WCHAR text[32];
  TOKEN_MANDATORY_LABEL label = {{NULL, SE_GROUP_INTEGRITY}};
  swprintf(text, 32, L"S-1-16-%ls", rid);
  label.Label.Sid = sid_from(text);
  if (!SetTokenInformation(token, TokenIntegrityLevel, &label, sizeof(label))) fail(text, GetLastError());
}

static void set_default_dacl(HANDLE token, const WCHAR *sddl) {
  TOKEN_DEFAULT_DACL info = {NULL};
  PSID owner = NULL;
  PACL label;
  parts(descriptor_from(sddl), &owner, &info.DefaultDacl, &label);
  if (!SetTokenInformation(token, TokenDefaultDacl, &info, sizeof(info))) fail(sddl, GetLastError());
}

int wmain(int count, WCHAR **arguments);

int wmain(int count, WCHAR **arguments) {
  SID_AND_ATTRIBUTES restricting[16] = {{NULL, 0}}, disable[16] = {{NULL, 0}};
  DWORD restricting_count = 0, disable_count = 0, flags = 0, code = 200;
  const WCHAR *integrity = NULL, *default_dacl = NULL;
  BOOL shown = FALSE;
  HANDLE own, token;
  int i = 1;
  for (; i < count && wcscmp(arguments[i], L"--") != 0; i++) {
    const WCHAR *option = arguments[i];
    if (wcscmp(option, L"--show") == 0) {
      shown = TRUE;
      continue;
    }
    if (wcscmp(option, L"--lenient") == 0) {
      lenient = TRUE;
      continue;
    }
    WCHAR *value = i + 1 < count ? arguments[++i] : NULL;
    if (!value) fail(option, ERROR_INVALID_PARAMETER);
    if (wcscmp(option, L"--mkdir") == 0) {
      if (!CreateDirectoryW(value, NULL)) fail(value, GetLastError());
    } else if (wcscmp(option, L"--print-sd") == 0) print_descriptor(value);
    else if (wcscmp(option, L"--restrict") == 0) restricting[restricting_count++].Sid = sid_from(value);
    else if (wcscmp(option, L"--deny-only") == 0) disable[disable_count++].Sid = sid_from(value);
    else if (wcscmp(option, L"--flags") == 0) flags = wcstoul(value, NULL, 0);
    else if (wcscmp(option, L"--integrity") == 0) integrity = value;
    else if (wcscmp(option, L"--default-dacl") == 0) default_dacl = value;
    else if (wcscmp(option, L"--sd") == 0 || wcscmp(option, L"--raw-sd") == 0) {
      if (i + 1 >= count) fail(option, ERROR_INVALID_PARAMETER);
      set_descriptor(value, arguments[++i], option[2] == L'r');
    } else fail(option, ERROR_INVALID_PARAMETER);
  }
  if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, &own)) fail(L"OpenProcessToken", GetLastError());
  if (!CreateRestrictedToken(own, flags, disable_count, disable, 0, NULL, restricting_count, restricting, &token)) fail(L"CreateRestrictedToken", GetLastError());
  if (integrity) set_integrity(token, integrity);
  if (default_dacl) set_default_dacl(token, default_dacl);
  if (shown) show(token);
  fflush(stdout);
  if (i + 1 >= count) return 0;
  STARTUPINFOW startup = {.cb = sizeof(startup)};
  PROCESS_INFORMATION info;
  if (!CreateProcessAsUserW(token, NULL, arguments[i + 1], NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &startup, &info)) fail(L"CreateProcessAsUserW", GetLastError());
  ResumeThread(info.hThread);
  WaitForSingleObject(info.hProcess, INFINITE);
  GetExitCodeProcess(info.hProcess, &code);
  return (int)code;
}
