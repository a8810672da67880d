/*
 * Local accounts for agents (Win32: "Network Management Functions"). Made once, by an administrator; JavaScript decides what is to be done
 * and in which order, each function here is one step of it and may be repeated.
 */
#include <windows.h>

#include <lm.h>
#include <sddl.h>
#include <stdio.h>
#include <userenv.h>

#include "../account-processes.h"
#include "../secret.h"
#include "account.h"
#include "text-out.h"

/*
 * UF_SCRIPT is required ("NetUserAdd"). The password lives as long as the account, and the agent cannot change it. No right to log on is
 * given or taken here: see rights.c.
 */
#define ACCOUNT_FLAGS (UF_SCRIPT | UF_NORMAL_ACCOUNT | UF_DONT_EXPIRE_PASSWD | UF_PASSWD_CANT_CHANGE)

/* One that exists, whatever its password was, gets a new one and the flags of a new one. */
static uint32_t renew(const wchar_t *name, const struct bh_secret *secret) {
  USER_INFO_1003 password = {(LPWSTR)(uintptr_t)secret->text};
  USER_INFO_1008 flags = {ACCOUNT_FLAGS};
  const uint32_t error = NetUserSetInfo(NULL, name, 1003, (LPBYTE)&password, NULL);
  return error ? error : NetUserSetInfo(NULL, name, 1008, (LPBYTE)&flags, NULL);
}

static uint32_t add(const wchar_t *name, const wchar_t *comment, const struct bh_secret *secret) {
  USER_INFO_1 account = {
      .usri1_name = (LPWSTR)(uintptr_t)name,
      .usri1_password = (LPWSTR)(uintptr_t)secret->text,
      .usri1_priv = USER_PRIV_USER,
      .usri1_comment = (LPWSTR)(uintptr_t)comment,
      .usri1_flags = ACCOUNT_FLAGS,
  };
  return NetUserAdd(NULL, 1, (LPBYTE)&account, NULL);
}

/*
 * Makes the account, or gives the one of that name a new password, and leaves the password in `file`. It is in `fresh` before any account
 * has it, so that a crash in between leaves no account whose password nobody knows without `fresh` telling so.
 */
uint32_t bulkhead_account_make(const wchar_t *name, const wchar_t *comment, const wchar_t *file, const wchar_t *fresh, const wchar_t *sddl) {
  struct bh_secret secret;
  uint32_t error = bh_secret_make(&secret);
  if (!error) error = bh_secret_save(&secret, name, fresh, sddl);
  if (!error) {
    error = add(name, comment, &secret);
    if (error == NERR_UserExists) error = renew(name, &secret);
    if (!error && !MoveFileExW(fresh, file, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH))
      error = GetLastError();
    else if (error)
      DeleteFileW(fresh);
  }
  bh_secret_clear(&secret);
  return error;
}

/* `S-1-5-21-... <flags> <comment>`: what the local account database says. NERR_UserNotFound: there is none. */
uint32_t bulkhead_account_read(const wchar_t *name, wchar_t *text, uint32_t *length) {
  LPBYTE answer = NULL;
  uint32_t error = NetUserGetInfo(NULL, name, 23, &answer);
  if (error) return error;
  const USER_INFO_23 *info = (const void *)answer;
  wchar_t *sid = NULL, line[600];
  if (!ConvertSidToStringSidW(info->usri23_user_sid, &sid)) error = GetLastError();
  if (!error) {
    const wchar_t *comment = info->usri23_comment ? info->usri23_comment : L"";
    const int needed = swprintf(line, 600, L"%ls %lu %.300ls", sid, info->usri23_flags, comment);
    error = needed < 0 ? ERROR_INVALID_DATA : bh_text_out(line, text, length);
  }
  LocalFree(sid);
  NetApiBufferFree(answer);
  return error;
}

/* Opens the password and throws it away: whether a launch could. */
uint32_t bulkhead_account_check(const wchar_t *name, const wchar_t *file) {
  struct bh_secret secret;
  const uint32_t error = bh_secret_load(&secret, name, file);
  bh_secret_clear(&secret);
  return error;
}

uint32_t bulkhead_account_remove(const wchar_t *name) {
  const uint32_t error = NetUserDel(NULL, name);
  return error == NERR_UserNotFound ? 0 : error;
}

/* The directory, its hive and its entry in the list of profiles. One that never was loaded has none. */
uint32_t bulkhead_account_forget(const wchar_t *sid) {
  if (DeleteProfileW(sid, NULL, NULL)) return 0;
  const uint32_t error = GetLastError();
  return error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND ? 0 : error;
}

/* Ends every process that runs under the account. */
uint32_t bulkhead_account_end(const wchar_t *sid) {
  PSID user;
  if (!ConvertStringSidToSidW(sid, &user)) return GetLastError();
  const uint32_t error = bh_account_processes_end(user);
  LocalFree(user);
  return error;
}

/* "SpecialAccounts\UserList": an account with the value 0 is not shown on the sign-in screen. Undocumented for programs, widely used. */
static const wchar_t user_list[] = L"SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Winlogon\\SpecialAccounts\\UserList";

uint32_t bulkhead_account_hide(const wchar_t *name) {
  const DWORD shown = 0;
  HKEY key;
  uint32_t error = RegCreateKeyExW(HKEY_LOCAL_MACHINE, user_list, 0, NULL, 0, KEY_SET_VALUE | KEY_WOW64_64KEY, NULL, &key, NULL);
  if (error) return error;
  error = RegSetValueExW(key, name, 0, REG_DWORD, (const BYTE *)&shown, sizeof(shown));
  RegCloseKey(key);
  return error;
}

uint32_t bulkhead_account_show(const wchar_t *name) {
  HKEY key;
  uint32_t error = RegOpenKeyExW(HKEY_LOCAL_MACHINE, user_list, 0, KEY_SET_VALUE | KEY_WOW64_64KEY, &key);
  if (!error) {
    error = RegDeleteValueW(key, name);
    RegCloseKey(key);
  }
  return error == ERROR_FILE_NOT_FOUND ? 0 : error;
}

uint32_t bulkhead_account_hidden(const wchar_t *name, uint32_t *hidden) {
  DWORD shown = 1, size = sizeof(shown);
  const DWORD flags = RRF_RT_REG_DWORD | RRF_SUBKEY_WOW6464KEY;
  const uint32_t error = RegGetValueW(HKEY_LOCAL_MACHINE, user_list, name, flags, NULL, &shown, &size);
  *hidden = !error && shown == 0;
  return error == ERROR_FILE_NOT_FOUND ? 0 : error;
}
