#include "sid.h"

#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

PSID bh_sid_from_text(const char *text) {
  PSID sid = NULL;
  return ConvertStringSidToSidA(text, &sid) ? sid : NULL;
}

void *bh_token_information(HANDLE token, TOKEN_INFORMATION_CLASS class) {
  DWORD size = 0;
  GetTokenInformation(token, class, NULL, 0, &size);
  if (size == 0) return NULL;
  void *information = calloc(1, size);
  if (!information) SetLastError(ERROR_OUTOFMEMORY);
  if (!information || GetTokenInformation(token, class, information, size, &size)) return information;
  const DWORD error = GetLastError();
  free(information);
  SetLastError(error);
  return NULL;
}

PSID bh_sid_of_user(HANDLE token) {
  TOKEN_USER *user = bh_token_information(token, TokenUser);
  if (!user) return NULL;
  const DWORD length = GetLengthSid(user->User.Sid);
  PSID sid = malloc(length);
  if (sid) {
    memcpy(sid, user->User.Sid, length);
  } else {
    SetLastError(ERROR_OUTOFMEMORY);
  }
  free(user);
  return sid;
}

PSECURITY_DESCRIPTOR bh_descriptor(const wchar_t *format, PSID first, PSID second) {
  wchar_t *texts[2] = {NULL, NULL}, text[1024];
  PSECURITY_DESCRIPTOR descriptor = NULL;
  const BOOL named = (!first || ConvertSidToStringSidW(first, &texts[0])) && (!second || ConvertSidToStringSidW(second, &texts[1]));
  if (named) {
    const int length = _snwprintf(text, sizeof(text) / sizeof(*text), format, texts[0], texts[1]);
    if (length < 0 || (size_t)length >= sizeof(text) / sizeof(*text)) {
      SetLastError(ERROR_INSUFFICIENT_BUFFER);
    } else {
      ConvertStringSecurityDescriptorToSecurityDescriptorW(text, SDDL_REVISION_1, &descriptor, NULL);
    }
  }
  const DWORD error = GetLastError();
  LocalFree(texts[0]);
  LocalFree(texts[1]);
  SetLastError(error);
  return descriptor;
}
