#include "profile.h"
#include "../common/record.h"
#include "accounts.h"
#include "file.h"
#include "patch.h"
#include "token.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

static const WCHAR list_key[] = L"SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList";

/** The profile is its account's and the system's. */
static void protect(const WCHAR *path, const bd_sid *sid) {
  const bd_sid system = bd_sid_make(5, 1, 18u), administrators = bd_sid_make(5, 2, 32u, 544u);
  const BYTE all = OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE;
  bd_sd sd;
  memset(&sd, 0, offsetof(bd_sd, aces));
  sd.owner = *sid;
  sd.control = SE_DACL_PROTECTED;
  bd_add_ace(&sd, BD_ACE_ALLOW, all, 0x1f01ff, &system);
  bd_add_ace(&sd, BD_ACE_ALLOW, all, 0x1f01ff, &administrators);
  bd_add_ace(&sd, BD_ACE_ALLOW, all, 0x1f01ff, sid);
  bd_file_store(path, &sd, 0);
}

static void label_low(const WCHAR *path) {
  bd_sd sd;
  memset(&sd, 0, offsetof(bd_sd, aces));
  sd.has_label = 1;
  sd.label_flags = OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE;
  sd.label_policy = SYSTEM_MANDATORY_LABEL_NO_WRITE_UP;
  sd.label_rid = SECURITY_MANDATORY_LOW_RID;
  bd_file_store(path, &sd, 0);
}

static void list_profile(const bd_sid *sid, const WCHAR *path) {
  WCHAR key_path[256];
  char text[BD_SID_TEXT];
  HKEY key;
  bd_sid_print(sid, text);
  swprintf(key_path, 256, L"%ls\\%hs", list_key, text);
  if (RegCreateKeyExW(HKEY_LOCAL_MACHINE, key_path, 0, NULL, 0, KEY_SET_VALUE, NULL, &key, NULL)) return;
  RegSetValueExW(key, L"ProfileImagePath", 0, REG_EXPAND_SZ, (const BYTE *)path, (DWORD)((wcslen(path) + 1) * sizeof(WCHAR)));
  RegCloseKey(key);
}

static DWORD make_directories(const WCHAR *root, const bd_sid *sid) {
  static const WCHAR *const below[] = {L"", L"\\AppData", L"\\AppData\\Local", L"\\AppData\\Local\\Temp", L"\\AppData\\LocalLow", L"\\AppData\\Roaming",
                                       L"\\Desktop", L"\\Documents"};
  WCHAR path[MAX_PATH];
  for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
    swprintf(path, MAX_PATH, L"%ls%ls", root, below[i]);
    if (!CreateDirectoryW(path, NULL) && GetLastError() != ERROR_ALREADY_EXISTS) return GetLastError();
  }
  protect(root, sid);
  swprintf(path, MAX_PATH, L"%ls\\AppData\\LocalLow", root);
  label_low(path);
  list_profile(sid, root);
  return 0;
}

/** Where the account's profile is or would be. */
static void profile_path(const bd_account *account, const bd_profile *known, WCHAR path[MAX_PATH]) {
  if (known && known->path[0]) wcscpy(path, known->path);
  else swprintf(path, MAX_PATH, L"C:\\users\\%ls", account->name);
}

/** What every process gets from the system, and nothing of the caller's. */
static BOOL is_of_machine(const WCHAR *entry) {
  static const WCHAR *const names[] = {L"ALLUSERSPROFILE", L"CommonProgramFiles", L"CommonProgramFiles(x86)", L"CommonProgramW6432", L"COMPUTERNAME",
                                       L"ComSpec", L"DriverData", L"NUMBER_OF_PROCESSORS", L"OS", L"Path", L"PATHEXT", L"PROCESSOR_ARCHITECTURE",
                                       L"PROCESSOR_IDENTIFIER", L"PROCESSOR_LEVEL", L"PROCESSOR_REVISION", L"ProgramData", L"ProgramFiles",
                                       L"ProgramFiles(x86)", L"ProgramW6432", L"PUBLIC", L"SystemDrive", L"SystemRoot", L"windir"};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    size_t length = wcslen(names[i]);
    if (_wcsnicmp(entry, names[i], length) == 0 && entry[length] == L'=') return TRUE;
  }
  return FALSE;
}

static WCHAR *environment_for(const WCHAR *name, const WCHAR *profile) {
  const size_t room = 32768;
  WCHAR *block = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, room * sizeof(WCHAR)), *at = block;
  WCHAR *own = GetEnvironmentStringsW();
  if (!block || !own) return NULL;
  for (const WCHAR *entry = own; *entry; entry += wcslen(entry) + 1) {
    if (!is_of_machine(entry) || (size_t)(at - block) + wcslen(entry) + 2048 > room) continue;
    wcscpy(at, entry);
    at += wcslen(at) + 1;
  }
  at += swprintf(at, 300, L"APPDATA=%ls\\AppData\\Roaming", profile) + 1;
  at += swprintf(at, 300, L"HOMEDRIVE=C:") + 1;
  at += swprintf(at, 300, L"HOMEPATH=%ls", profile + 2) + 1;
  at += swprintf(at, 300, L"LOCALAPPDATA=%ls\\AppData\\Local", profile) + 1;
  at += swprintf(at, 300, L"TEMP=%ls\\AppData\\Local\\Temp", profile) + 1;
  at += swprintf(at, 300, L"TMP=%ls\\AppData\\Local\\Temp", profile) + 1;
  at += swprintf(at, 300, L"USERNAME=%ls", name) + 1;
  at += swprintf(at, 300, L"USERPROFILE=%ls", profile) + 1;
  *at = 0;
  FreeEnvironmentStringsW(own);
  return block;
}

DWORD bd_profile_prepare(HANDLE token, BOOL load, WCHAR **environment) {
  WCHAR path[MAX_PATH], name[24];
  bd_token record;
  DWORD error = 0;
  bd_frame frame = bd_enter();
  NTSTATUS status = bd_token_of(token, &record);
  bd_lock();
  const bd_account *account = status ? NULL : bd_account_with(&record.user);
  bd_profile *profile = account ? bd_profile_of(&record.user, load) : NULL;
  if (account) {
    profile_path(account, profile, path);
    wcscpy(name, account->name);
    if (load && profile) wcscpy(profile->path, path);
  }
  bd_unlock();
  if (!account || (load && !profile)) error = ERROR_NO_SUCH_USER;
  if (!error && load) error = make_directories(path, &record.user);
  if (!error && environment && !(*environment = environment_for(name, path))) error = ERROR_NOT_ENOUGH_MEMORY;
  bd_leave(frame);
  return error;
}

static BOOL in_use(const bd_sid *sid) {
  for (DWORD i = 0; i < bd_shared->process_count; i++) {
    const bd_process *process = &bd_shared->processes[i];
    if (!process->pid || !bd_sid_equal(&process->user, sid)) continue;
    if (bd_alive(process->pid)) return TRUE;
  }
  return FALSE;
}

static void delete_tree(const WCHAR *path) {
  WCHAR pattern[MAX_PATH * 2], child[MAX_PATH * 2];
  WIN32_FIND_DATAW data;
  swprintf(pattern, MAX_PATH * 2, L"%ls\\*", path);
  HANDLE find = FindFirstFileW(pattern, &data);
  for (BOOL more = find != INVALID_HANDLE_VALUE; more; more = FindNextFileW(find, &data)) {
    if (wcscmp(data.cFileName, L".") == 0 || wcscmp(data.cFileName, L"..") == 0) continue;
    swprintf(child, MAX_PATH * 2, L"%ls\\%ls", path, data.cFileName);
    if ((data.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) && !(data.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT)) delete_tree(child);
    else DeleteFileW(child);
  }
  if (find != INVALID_HANDLE_VALUE) FindClose(find);
  RemoveDirectoryW(path);
}

static DWORD forget_profile(const WCHAR *sid_text) {
  char narrow[BD_SID_TEXT];
  WCHAR key_path[256], path[MAX_PATH] = L"";
  bd_sid sid;
  snprintf(narrow, sizeof(narrow), "%ls", sid_text);
  if (!bd_sid_parse(narrow, NULL, &sid)) return ERROR_INVALID_SID;
  bd_lock();
  const bd_profile *profile = bd_profile_of(&sid, FALSE);
  if (profile) wcscpy(path, profile->path);
  bd_unlock();
  if (!path[0]) return ERROR_FILE_NOT_FOUND;
  if (in_use(&sid)) return ERROR_SHARING_VIOLATION;
  delete_tree(path);
  if (GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES) return ERROR_DIR_NOT_EMPTY;
  swprintf(key_path, 256, L"%ls\\%ls", list_key, sid_text);
  RegDeleteKeyW(HKEY_LOCAL_MACHINE, key_path);
  bd_file_forget(path);
  bd_lock();
  bd_profile *gone = bd_profile_of(&sid, FALSE);
  if (gone) memset(gone, 0, sizeof(*gone));
  bd_unlock();
  return 0;
}

static BOOL WINAPI delete_profile(LPCWSTR sid, LPCWSTR path, LPCWSTR machine) {
  bd_record record;
  (void)machine;
  bd_record_begin(&record, "DeleteProfileW");
  bd_put_wide(&record, "sid", sid, -1);
  bd_put_wide(&record, "path", path, -1);
  DWORD error = record.injected ? record.result : bd_caller_is_administrator() ? 0 : ERROR_ACCESS_DENIED;
  bd_frame frame = bd_enter();
  if (!error) error = forget_profile(sid);
  bd_leave(frame);
  bd_record_end(&record, error);
  SetLastError(error);
  return error == 0;
}

static void *original_directory;
typedef BOOL(WINAPI *directory_call)(HANDLE, LPWSTR, LPDWORD);

static BOOL WINAPI profile_directory(HANDLE token, LPWSTR path, LPDWORD size) {
  bd_token record;
  WCHAR found[MAX_PATH] = L"";
  bd_frame frame = bd_enter();
  if (!bd_token_of(token, &record) && (record.flags & BD_TOKEN_ACCOUNT)) {
    bd_lock();
    const bd_profile *profile = bd_profile_of(&record.user, FALSE);
    if (profile) wcscpy(found, profile->path);
    bd_unlock();
  }
  bd_leave(frame);
  if (!found[0]) return ((directory_call)original_directory)(token, path, size);
  DWORD need = (DWORD)wcslen(found) + 1;
  BOOL fits = path && *size >= need;
  *size = need;
  if (fits) wcscpy(path, found);
  else SetLastError(ERROR_INSUFFICIENT_BUFFER);
  return fits;
}

static const bd_replacement replacements[] = {
    {"userenv.dll", "DeleteProfileW", (void *)delete_profile, NULL},
    {"userenv.dll", "GetUserProfileDirectoryW", (void *)profile_directory, &original_directory},
};

BOOL bd_profile_install(void) {
  return bd_patch(replacements, sizeof(replacements) / sizeof(replacements[0]));
}
