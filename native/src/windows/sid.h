/* Security identifiers. */
#ifndef BULKHEAD_SID_H
#define BULKHEAD_SID_H

#include <windows.h>

/* From the string form; to be freed with LocalFree. NULL with a Win32 error. */
PSID bh_sid_from_text(const char *text);

/* A copy of the user of a token; to be freed with free(). NULL with a Win32 error. */
PSID bh_sid_of_user(HANDLE token);

/* What GetTokenInformation gives, whole; to be freed with free(). NULL with a Win32 error. */
void *bh_token_information(HANDLE token, TOKEN_INFORMATION_CLASS class);

/*
 * A security descriptor from SDDL with `%s` for a SID in string form, up to two of them (UTF-16; unused: NULL). To be freed with LocalFree.
 * NULL with a Win32 error.
 */
PSECURITY_DESCRIPTOR bh_descriptor(const wchar_t *format, PSID first, PSID second);

#endif
