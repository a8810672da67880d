#include <stdio.h>
#include <stdlib.h>
#include <windows.h>
/* After windows.h. */
#include <sddl.h>

#include "feature.h"
#include "sid.h"

/* A SID of nobody: what does not come back was not kept. */
#define NOBODY L"S-1-5-21-3623811015-3361044348-30300820-1013"

static bool keeps(const wchar_t *directory, PSID nobody) {
  BYTE descriptor[2048];
  DWORD size;
  BOOL present = FALSE, defaulted;
  PACL list = NULL;
  SECURITY_DESCRIPTOR_CONTROL control = 0;
  DWORD revision;
  if (!GetFileSecurityW(directory, DACL_SECURITY_INFORMATION, descriptor, sizeof(descriptor), &size)) return false;
  if (!GetSecurityDescriptorControl(descriptor, &control, &revision) || !(control & SE_DACL_PROTECTED)) return false;
  if (!GetSecurityDescriptorDacl(descriptor, &present, &list, &defaulted) || !present || !list) return false;
  for (DWORD i = 0; i < list->AceCount; i++) {
    ACCESS_ALLOWED_ACE *entry;
    if (GetAce(list, i, (void **)&entry) && entry->Header.AceType == ACCESS_ALLOWED_ACE_TYPE && EqualSid(&entry->SidStart, nobody)) return true;
  }
  return false;
}

static int try_directory(const wchar_t *directory, struct bh_answer *answer) {
  PSID user = NULL, nobody = NULL;
  HANDLE token = NULL;
  PSECURITY_DESCRIPTOR descriptor = NULL;
  int result = -1;
  if (OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) user = bh_sid_of_user(token);
  if (user && ConvertStringSidToSidW(NOBODY, &nobody)) descriptor = bh_descriptor(L"D:P(A;OICI;FA;;;%s)(A;OICI;0x1200a9;;;%s)", user, nobody);
  SECURITY_ATTRIBUTES attributes = {sizeof(attributes), descriptor, FALSE};
  if (!descriptor) {
    bh_fault(&answer->fault, 0, "access list of a directory", NULL);
  } else if (!CreateDirectoryW(directory, &attributes)) {
    bh_fault(&answer->fault, 0, "making a directory with an access list", NULL);
  } else {
    result = keeps(directory, nobody) ? 0 : bh_pretended(answer, "the filesystem of the temporary directory keeps no access lists");
    RemoveDirectoryW(directory);
  }
  LocalFree(descriptor);
  LocalFree(nobody);
  free(user);
  if (token) CloseHandle(token);
  return result;
}

/* Tried where the user's own temporary files are: every user has such a directory, on the drive of the profile. */
void bh_feature_file_security(struct bh_answer *answer) {
  wchar_t folder[MAX_PATH + 1], directory[MAX_PATH + 64];
  const DWORD length = GetTempPathW(MAX_PATH + 1, folder);
  answer->ok = false;
  if (length == 0 || length > MAX_PATH) {
    bh_fault(&answer->fault, length == 0 ? 0 : ERROR_FILENAME_EXCED_RANGE, "finding the temporary directory", NULL);
    return;
  }
  _snwprintf(directory, MAX_PATH + 64, L"%lsbulkhead-probe-%lu-%llu", folder, GetCurrentProcessId(), GetTickCount64());
  answer->ok = try_directory(directory, answer) == 0;
}
