#include "account-profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <userenv.h>
#include <wchar.h>

/* Past MAX_PATH, so that nothing hides in depth ("Maximum Path Length Limitation"). */
#define LONGEST 32767

static uint32_t empty(wchar_t *path);

/* What is read-only could not be deleted. A junction is a directory that is removed like an empty one. */
static uint32_t delete_entry(wchar_t *path, DWORD attributes) {
  if (attributes & FILE_ATTRIBUTE_READONLY) SetFileAttributesW(path, FILE_ATTRIBUTE_NORMAL);
  if (!(attributes & FILE_ATTRIBUTE_DIRECTORY)) return DeleteFileW(path) ? 0 : GetLastError();
  const uint32_t error = attributes & FILE_ATTRIBUTE_REPARSE_POINT ? 0 : empty(path);
  if (error) return error;
  return RemoveDirectoryW(path) ? 0 : GetLastError();
}

/* `path` has room for LONGEST characters; it is the same again afterwards. */
static uint32_t empty(wchar_t *path) {
  WIN32_FIND_DATAW entry;
  const size_t length = wcslen(path);
  if (length + MAX_PATH + 2 > LONGEST) return ERROR_FILENAME_EXCED_RANGE;
  wcscpy(path + length, L"\\*");
  HANDLE search = FindFirstFileExW(path, FindExInfoBasic, &entry, FindExSearchNameMatch, NULL, 0);
  path[length] = 0;
  if (search == INVALID_HANDLE_VALUE) return GetLastError() == ERROR_FILE_NOT_FOUND ? 0 : GetLastError();
  uint32_t first_error = 0;
  do {
    if (wcscmp(entry.cFileName, L".") == 0 || wcscmp(entry.cFileName, L"..") == 0) continue;
    swprintf(path + length, LONGEST - length, L"\\%ls", entry.cFileName);
    const uint32_t error = delete_entry(path, entry.dwFileAttributes);
    path[length] = 0;
    if (!first_error) first_error = error;
  } while (FindNextFileW(search, &entry));
  FindClose(search);
  return first_error;
}

uint32_t bh_account_profile_empty(HANDLE token) {
  wchar_t profile[MAX_PATH + 1];
  DWORD length = MAX_PATH;
  if (!GetUserProfileDirectoryW(token, profile, &length)) return GetLastError();
  wchar_t *path = malloc(LONGEST * sizeof(*path));
  if (!path) return ERROR_NOT_ENOUGH_MEMORY;
  swprintf(path, LONGEST, L"\\\\?\\%ls\\AppData\\Local\\Temp", profile);
  const DWORD attributes = GetFileAttributesW(path);
  uint32_t error = 0;
  /* A link in its place is not followed: whatever it leads to was never this account's. */
  if (attributes != INVALID_FILE_ATTRIBUTES)
    error = attributes & FILE_ATTRIBUTE_REPARSE_POINT ? ERROR_CANT_RESOLVE_FILENAME : empty(path);
  free(path);
  return error;
}
