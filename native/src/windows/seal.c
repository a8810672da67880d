#include "seal.h"

#include <stdlib.h>
#include <windows.h>

#include "sid.h"

/* PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE | READ_CONTROL */
#define PROCESS_LIST L"D:P(A;;GA;;;SY)(A;;0x121000;;;%s)(A;;RC;;;OW)"
/* TOKEN_QUERY | QUERY_SOURCE | ADJUST_PRIVILEGES | ADJUST_GROUPS | ADJUST_DEFAULT | READ_CONTROL */
#define TOKEN_LIST L"D:P(A;;GA;;;SY)(A;;0x200F8;;;%s)(A;;RC;;;OW)"
/* THREAD_QUERY_LIMITED_INFORMATION | SYNCHRONIZE | READ_CONTROL */
#define THREAD_LIST L"D:P(A;;GA;;;SY)(A;;0x120800;;;%s)(A;;RC;;;OW)"
/*
 * Looking, and changing the list, stay with the user, whom an agent is only half: the kernel makes the agent's token under this list, and it has to be
 * opened to the agent then.
 */
#define DEFAULT_LIST L"D:P(A;;GA;;;SY)(A;;GRWD;;;%s)"

static int protect(HANDLE object, const wchar_t *list, PSID user, const char *step, struct bh_fault *fault) {
  PSECURITY_DESCRIPTOR descriptor = bh_descriptor(list, user, NULL);
  const int result = descriptor && SetKernelObjectSecurity(object, DACL_SECURITY_INFORMATION, descriptor) ? 0 : bh_fault(fault, 0, step, NULL);
  LocalFree(descriptor);
  return result;
}

static int set_default(HANDLE token, PSID user, struct bh_fault *fault) {
  PSECURITY_DESCRIPTOR descriptor = bh_descriptor(DEFAULT_LIST, user, NULL);
  BOOL present, defaulted;
  TOKEN_DEFAULT_DACL list = {NULL};
  const BOOL set = descriptor && GetSecurityDescriptorDacl(descriptor, &present, &list.DefaultDacl, &defaulted) &&
                   SetTokenInformation(token, TokenDefaultDacl, &list, sizeof(list));
  const int result = set ? 0 : bh_fault(fault, 0, "sealing what the process makes", NULL);
  LocalFree(descriptor);
  return result;
}

/* Runs one of the below with the process's token and its user. */
static int with_token(DWORD access, int (*act)(HANDLE token, PSID user, struct bh_fault *fault), struct bh_fault *fault) {
  HANDLE token;
  if (!OpenProcessToken(GetCurrentProcess(), access | TOKEN_QUERY, &token)) return bh_fault(fault, 0, "sealing: OpenProcessToken", NULL);
  PSID user = bh_sid_of_user(token);
  const int result = user ? act(token, user, fault) : bh_fault(fault, 0, "sealing: user of the process", NULL);
  free(user);
  CloseHandle(token);
  return result;
}

static int seal(HANDLE token, PSID user, struct bh_fault *fault) {
  if (protect(GetCurrentProcess(), PROCESS_LIST, user, "sealing the process", fault) < 0) return -1;
  return protect(token, TOKEN_LIST, user, "sealing the token", fault);
}

static int seal_objects(HANDLE token, PSID user, struct bh_fault *fault) {
  if (protect(GetCurrentThread(), THREAD_LIST, user, "sealing the thread", fault) < 0) return -1;
  return set_default(token, user, fault);
}

int bh_seal(struct bh_fault *fault) {
  return with_token(WRITE_DAC, seal, fault);
}

int bh_seal_objects(struct bh_fault *fault) {
  return with_token(TOKEN_ADJUST_DEFAULT, seal_objects, fault);
}
