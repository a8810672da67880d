/*
 * attempts.exe <attempt> …
 *
 * Makes attempts through documented Win32 calls and prints one line for each: the attempt, a tab, and "ok" or the error number. Each attempt is
 * `verb argument argument` in one argument of the command line, separated by `|`.
 */
#include <winsock2.h>
#include <ws2tcpip.h>
/* After winsock2.h. */
#include <aclapi.h>
#include <sddl.h>
#include <stdio.h>
#include <wchar.h>

static DWORD last(BOOL good) {
  return good ? 0 : GetLastError();
}

static DWORD open_and_close(const WCHAR *path, DWORD access, DWORD disposition, DWORD flags) {
  HANDLE file = CreateFileW(path, access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, disposition, flags, NULL);
  if (file == INVALID_HANDLE_VALUE) return GetLastError();
  CloseHandle(file);
  return 0;
}

static DWORD write_file(const WCHAR *path) {
  DWORD written;
  HANDLE file = CreateFileW(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
  if (file == INVALID_HANDLE_VALUE) return GetLastError();
  DWORD error = last(WriteFile(file, "x", 1, &written, NULL));
  CloseHandle(file);
  return error;
}

static DWORD read_file(const WCHAR *path) {
  char byte;
  DWORD got;
  HANDLE file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING, 0, NULL);
  if (file == INVALID_HANDLE_VALUE) return GetLastError();
  DWORD error = last(ReadFile(file, &byte, 1, &got, NULL));
  CloseHandle(file);
  return error;
}

/** The way Windows deletes: a handle with DELETE, and the disposition. Wine's DeleteFileW goes another way. */
static DWORD dispose(const WCHAR *path) {
  FILE_DISPOSITION_INFO info = {TRUE};
  HANDLE file = CreateFileW(path, DELETE, 7, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
  if (file == INVALID_HANDLE_VALUE) return GetLastError();
  DWORD error = last(SetFileInformationByHandle(file, FileDispositionInfo, &info, sizeof(info)));
  CloseHandle(file);
  return error;
}

static DWORD list(const WCHAR *path) {
  WCHAR pattern[MAX_PATH];
  WIN32_FIND_DATAW data;
  swprintf(pattern, MAX_PATH, L"%ls\\*", path);
  HANDLE find = FindFirstFileW(pattern, &data);
  if (find == INVALID_HANDLE_VALUE) return GetLastError();
  FindClose(find);
  return 0;
}

static DWORD set_sddl(WCHAR *path, const WCHAR *sddl) {
  PSECURITY_DESCRIPTOR descriptor;
  PACL dacl = NULL;
  BOOL present, defaulted;
  if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl, 1, &descriptor, NULL)) return GetLastError();
  GetSecurityDescriptorDacl(descriptor, &present, &dacl, &defaulted);
  DWORD error = SetNamedSecurityInfoW(path, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, NULL, NULL, dacl, NULL);
  LocalFree(descriptor);
  return error;
}

static DWORD open_process(const WCHAR *pid, const WCHAR *access) {
  HANDLE process = OpenProcess(wcstoul(access, NULL, 0), FALSE, wcstoul(pid, NULL, 0));
  if (!process) return GetLastError();
  CloseHandle(process);
  return 0;
}

static DWORD spawn(WCHAR *line) {
  STARTUPINFOW startup = {.cb = sizeof(startup)};
  PROCESS_INFORMATION info;
  DWORD code;
  if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &info)) return GetLastError();
  WaitForSingleObject(info.hProcess, INFINITE);
  GetExitCodeProcess(info.hProcess, &code);
  return code;
}

static DWORD own_token(const WCHAR *access) {
  HANDLE token;
  if (!OpenProcessToken(GetCurrentProcess(), wcstoul(access, NULL, 0), &token)) return GetLastError();
  CloseHandle(token);
  return 0;
}

/** what: connect (TCP), send (one datagram), bind or listen (TCP on that address). */
static DWORD network(const WCHAR *what, const WCHAR *host, const WCHAR *port) {
  ADDRINFOW hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = wcscmp(what, L"send") == 0 ? SOCK_DGRAM : SOCK_STREAM}, *found;
  WSADATA data;
  WSAStartup(MAKEWORD(2, 2), &data);
  int error = GetAddrInfoW(host, port, &hints, &found);
  if (error) return (DWORD)error;
  SOCKET one = socket(found->ai_family, found->ai_socktype, 0);
  if (one == INVALID_SOCKET) return (DWORD)WSAGetLastError();
  if (wcscmp(what, L"connect") == 0) error = connect(one, found->ai_addr, (int)found->ai_addrlen);
  else if (wcscmp(what, L"send") == 0) error = sendto(one, "x", 1, 0, found->ai_addr, (int)found->ai_addrlen) == 1 ? 0 : -1;
  else error = bind(one, found->ai_addr, (int)found->ai_addrlen);
  if (!error && wcscmp(what, L"listen") == 0) error = listen(one, 1);
  DWORD result = error ? (DWORD)WSAGetLastError() : 0;
  closesocket(one);
  return result;
}

static DWORD attempt(const WCHAR *verb, WCHAR *one, WCHAR *two) {
  if (wcscmp(verb, L"write") == 0) return write_file(one);
  if (wcscmp(verb, L"read") == 0) return read_file(one);
  if (wcscmp(verb, L"list") == 0) return list(one);
  if (wcscmp(verb, L"stat") == 0) return last(GetFileAttributesW(one) != INVALID_FILE_ATTRIBUTES);
  if (wcscmp(verb, L"open") == 0) return open_and_close(one, wcstoul(two, NULL, 0), OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS);
  if (wcscmp(verb, L"mkdir") == 0) return last(CreateDirectoryW(one, NULL));
  if (wcscmp(verb, L"rmdir") == 0) return last(RemoveDirectoryW(one));
  if (wcscmp(verb, L"delete") == 0) return last(DeleteFileW(one));
  if (wcscmp(verb, L"dispose") == 0) return dispose(one);
  if (wcscmp(verb, L"rename") == 0) return last(MoveFileExW(one, two, MOVEFILE_REPLACE_EXISTING));
  if (wcscmp(verb, L"link") == 0) return last(CreateHardLinkW(two, one, NULL));
  if (wcscmp(verb, L"acl") == 0) return set_sddl(one, two);
  if (wcscmp(verb, L"open-process") == 0) return open_process(one, two);
  if (wcscmp(verb, L"own-token") == 0) return own_token(one);
  if (wcscmp(verb, L"spawn") == 0) return spawn(one);
  if (wcscmp(verb, L"connect") == 0 || wcscmp(verb, L"send") == 0 || wcscmp(verb, L"bind") == 0 || wcscmp(verb, L"listen") == 0) {
    return network(verb, one, two);
  }
  return ERROR_INVALID_FUNCTION;
}

int wmain(int count, WCHAR **arguments);

int wmain(int count, WCHAR **arguments) {
  WCHAR text[4096], empty[] = L"", *fields[3] = {empty, empty, empty}, *next;
  for (int i = 1; i < count; i++) {
    wcsncpy(text, arguments[i], 4095);
    text[4095] = 0;
    int field = 0;
    for (WCHAR *part = text; part && field < 3; part = next) {
      next = wcschr(part, L'|');
      if (next) *next++ = 0;
      fields[field++] = part;
    }
    DWORD error = attempt(fields[0], fields[1], fields[2]);
    if (error) printf("%ls\t%lu\n", arguments[i], error);
    else printf("%ls\tok\n", arguments[i]);
    fflush(stdout);
    for (int k = 0; k < 3; k++) fields[k] = empty;
  }
  return 0;
}
