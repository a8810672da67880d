#include "seal.h"

#include <stdlib.h>
#include <windows.h>

#include "sid.h"

/* PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE | READ_CONTROL, and PROCESS_TERMINATE. */
#define PROCESS_LIST L"D:P(A;;GA;;;SY)(A;;0x121000;;;%s)(A;;RC;;;OW)"
#define ENDABLE_PROCESS_LIST L"D:P(A;;GA;;;SY)(A;;0x121001;;;%s)(A;;RC;;;OW)"
/* TOKEN_QUERY | READ_CONTROL */
#define TOKEN_LIST L"D:P(A;;GA;;;SY)(A;;0x20008;;;%s)(A;;RC;;;OW)"
/* THREAD_QUERY_LIMITED_INFORMATION | SYNCHRONIZE | READ_CONTROL */
#define THREAD_LIST L"D:P(A;;GA;;;SY)(A;;0x120800;;;%s)(A;;RC;;;OW)"
#define DEFAULT_LIST L"D:P(A;;GA;;;SY)(A;;RC;;;%s)(A;;RC;;;OW)"

static uint32_t protect(HANDLE object, const wchar_t *list, PSID user) {
  PSECURITY_DESCRIPTOR descriptor = bh_descriptor(list, user, NULL);
  if (!descriptor) return GetLastError();
  const uint32_t error = SetKernelObjectSecurity(object, DACL_SECURITY_INFORMATION, descriptor) ? 0 : GetLastError();
  LocalFree(descriptor);
  return error;
}

static uint32_t set_default(HANDLE token, PSID user) {
  PSECURITY_DESCRIPTOR descriptor = bh_descriptor(DEFAULT_LIST, user, NULL);
  if (!descriptor) return GetLastError();
  BOOL present, defaulted;
  TOKEN_DEFAULT_DACL list = {NULL};
  uint32_t error = 0;
  if (!GetSecurityDescriptorDacl(descriptor, &present, &list.DefaultDacl, &defaulted)) error = GetLastError();
  if (error == 0 && !SetTokenInformation(token, TokenDefaultDacl, &list, sizeof(list))) error = GetLastError();
  LocalFree(descriptor);
  return error;
}

/* Runs one of the above with the process's token and its user. */
static uint32_t with_token(DWORD access, uint32_t (*act)(HANDLE token, PSID user)) {
  HANDLE token;
  if (!OpenProcessToken(GetCurrentProcess(), access | TOKEN_QUERY, &token)) return GetLastError();
  PSID user = bh_sid_of_user(token);
  const uint32_t error = user ? act(token, user) : GetLastError();
  free(user);
  CloseHandle(token);
  return error;
}

static uint32_t seal_process(HANDLE token, PSID user) {
  (void)token;
  return protect(GetCurrentProcess(), PROCESS_LIST, user);
}

static uint32_t seal_endable_process(HANDLE token, PSID user) {
  (void)token;
  return protect(GetCurrentProcess(), ENDABLE_PROCESS_LIST, user);
}

static uint32_t seal_token(HANDLE token, PSID user) {
  uint32_t error = protect(GetCurrentThread(), THREAD_LIST, user);
  if (error == 0) error = set_default(token, user);
  return error != 0 ? error : protect(token, TOKEN_LIST, user);
}

uint32_t bh_seal_process(bool may_end) {
  return with_token(0, may_end ? seal_endable_process : seal_process);
}

uint32_t bh_seal_token(void) {
  return with_token(TOKEN_ADJUST_DEFAULT | WRITE_DAC, seal_token);
}
