/*
 * Does one thing for each argument pair and says how it went: `<act> <result>` lines, where the result is 0 or a Win32 error.
 * Links nothing of Bulkhead: it is what somebody else wrote.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <winternl.h>

static DWORD last(BOOL ok) { return ok ? 0 : GetLastError(); }

static DWORD write_file(const wchar_t *path) {
  DWORD done;
  HANDLE file = CreateFileW(path, GENERIC_WRITE, FILE_SHARE_READ, NULL, CREATE_ALWAYS, 0, NULL);
  if (file == INVALID_HANDLE_VALUE) return GetLastError();
  const DWORD error = last(WriteFile(file, "written", 7, &done, NULL));
  CloseHandle(file);
  return error;
}

static DWORD read_file(const wchar_t *path) {
  char bytes[64] = "";
  DWORD done = 0;
  HANDLE file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
  if (file == INVALID_HANDLE_VALUE) return GetLastError();
  const DWORD error = last(ReadFile(file, bytes, 63, &done, NULL));
  printf("content %s\n", bytes);
  CloseHandle(file);
  return error;
}

/* As Windows itself deletes: open, then set the disposition. */
static DWORD dispose(const wchar_t *path) {
  HANDLE file = CreateFileW(path, DELETE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING, 0, NULL);
  if (file == INVALID_HANDLE_VALUE) return GetLastError();
  FILE_DISPOSITION_INFO info = {TRUE};
  const DWORD error = last(SetFileInformationByHandle(file, FileDispositionInfo, &info, sizeof(info)));
  CloseHandle(file);
  return error;
}

static DWORD delete_on_close(const wchar_t *path) {
  HANDLE file = CreateFileW(path, DELETE, 7, NULL, OPEN_EXISTING, FILE_FLAG_DELETE_ON_CLOSE, NULL);
  if (file == INVALID_HANDLE_VALUE) return GetLastError();
  CloseHandle(file);
  return 0;
}

static DWORD native_delete(const wchar_t *path) {
  static NTSTATUS(NTAPI * delete)(OBJECT_ATTRIBUTES *);
  static ULONG(NTAPI * translate)(NTSTATUS);
  static BOOLEAN(NTAPI * convert)(const wchar_t *, UNICODE_STRING *, wchar_t **, void *);
  HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
  delete = (void *)GetProcAddress(ntdll, "NtDeleteFile");
  translate = (void *)GetProcAddress(ntdll, "RtlNtStatusToDosError");
  convert = (void *)GetProcAddress(ntdll, "RtlDosPathNameToNtPathName_U");
  UNICODE_STRING name;
  OBJECT_ATTRIBUTES attributes;
  if (!convert(path, &name, NULL, NULL)) return ERROR_PATH_NOT_FOUND;
  InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE, NULL, NULL);
  return translate(delete (&attributes));
}

/* By a directory handle and a bare name, which says nothing by itself. */
static DWORD relative_write(const wchar_t *path) {
  static NTSTATUS(NTAPI * create)(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, IO_STATUS_BLOCK *, LARGE_INTEGER *, ULONG, ULONG, ULONG, ULONG, void *, ULONG);
  static ULONG(NTAPI * translate)(NTSTATUS);
  HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
  create = (void *)GetProcAddress(ntdll, "NtCreateFile");
  translate = (void *)GetProcAddress(ntdll, "RtlNtStatusToDosError");
  wchar_t directory[512];
  wcscpy(directory, path);
  wchar_t *bare = wcsrchr(directory, L'\\');
  *bare++ = 0;
  HANDLE root = CreateFileW(directory, FILE_LIST_DIRECTORY, 7, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
  if (root == INVALID_HANDLE_VALUE) return GetLastError();
  UNICODE_STRING name = {(USHORT)(wcslen(bare) * 2), (USHORT)(wcslen(bare) * 2), bare};
  OBJECT_ATTRIBUTES attributes;
  IO_STATUS_BLOCK io;
  HANDLE file;
  InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE, root, NULL);
  const NTSTATUS status = create(&file, FILE_WRITE_DATA, &attributes, &io, NULL, 0, 7, FILE_OVERWRITE_IF, 0, NULL, 0);
  if (status >= 0) CloseHandle(file);
  CloseHandle(root);
  return translate(status);
}

static DWORD set_value(const wchar_t *key, const wchar_t *value) {
  HKEY handle;
  DWORD error = RegCreateKeyExW(HKEY_CURRENT_USER, key, 0, NULL, 0, KEY_READ | KEY_SET_VALUE, NULL, &handle, NULL);
  if (error) return error;
  error = RegSetValueExW(handle, value, 0, REG_SZ, (const BYTE *)L"x", 4);
  RegCloseKey(handle);
  return error;
}

static DWORD has_value(const wchar_t *key, const wchar_t *value) {
  return RegGetValueW(HKEY_CURRENT_USER, key, value, RRF_RT_ANY, NULL, NULL, NULL);
}

static DWORD run(const wchar_t *line) {
  wchar_t copy[2048];
  STARTUPINFOW startup = {.cb = sizeof(startup)};
  PROCESS_INFORMATION process;
  wcscpy(copy, line);
  fflush(stdout);
  if (!CreateProcessW(NULL, copy, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process)) return GetLastError();
  WaitForSingleObject(process.hProcess, INFINITE);
  DWORD code = 0;
  GetExitCodeProcess(process.hProcess, &code);
  printf("child %lu\n", code);
  CloseHandle(process.hThread);
  CloseHandle(process.hProcess);
  return 0;
}

static DWORD connect_to(const wchar_t *port) {
  WSADATA data;
  WSAStartup(MAKEWORD(2, 2), &data);
  SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((u_short)_wtoi(port)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  DWORD error = connect(s, (struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : (DWORD)WSAGetLastError();
  closesocket(s);
  return error;
}

static DWORD bind_to(const wchar_t *port, bool v6) {
  WSADATA data;
  WSAStartup(MAKEWORD(2, 2), &data);
  SOCKET s = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = htons((u_short)_wtoi(port)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons((u_short)_wtoi(port)), .sin6_addr = {{{[15] = 1}}}};
  DWORD error = bind(s, v6 ? (void *)&a6 : (void *)&a4, v6 ? sizeof(a6) : sizeof(a4)) == 0 ? 0 : (DWORD)WSAGetLastError();
  closesocket(s);
  return error;
}

static DWORD send_datagram(const wchar_t *port) {
  WSADATA data;
  WSAStartup(MAKEWORD(2, 2), &data);
  SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((u_short)_wtoi(port)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  DWORD error = sendto(s, "x", 1, 0, (struct sockaddr *)&address, sizeof(address)) == 1 ? 0 : (DWORD)WSAGetLastError();
  closesocket(s);
  return error;
}

/* A process that waits, to be looked at or ended. */
static DWORD with_victim(const wchar_t *self, DWORD access, bool end) {
  wchar_t line[1024];
  STARTUPINFOW startup = {.cb = sizeof(startup)};
  PROCESS_INFORMATION process;
  _snwprintf(line, 1024, L"\"%ls\" wait 4000", self);
  if (!CreateProcessW(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &process)) return GetLastError();
  HANDLE other = OpenProcess(access, FALSE, process.dwProcessId);
  DWORD error = other ? 0 : GetLastError();
  if (other && end) error = last(TerminateProcess(other, 5));
  if (other) CloseHandle(other);
  if (!end || error) TerminateProcess(process.hProcess, 6);
  const DWORD ended = WaitForSingleObject(process.hProcess, end && !error ? 2000 : 0);
  printf("victim %s\n", ended == WAIT_OBJECT_0 ? "ended" : "alive");
  return error;
}

static DWORD flood(const wchar_t *path, int count) {
  DWORD error = 0;
  const ULONGLONG begun = GetTickCount64();
  for (int i = 0; i < count; i++) {
    HANDLE file = CreateFileW(path, GENERIC_WRITE, 7, NULL, OPEN_ALWAYS, 0, NULL);
    if (file == INVALID_HANDLE_VALUE) error = GetLastError();
    else CloseHandle(file);
  }
  printf("took %llu\n", GetTickCount64() - begun);
  return error;
}

/* From now on the system tells this process that every other one is a 32-bit one (NtQueryInformationProcess, ProcessWow64Information). */
static NTSTATUS(NTAPI *real_query)(HANDLE, int, void *, ULONG, ULONG *);
static NTSTATUS NTAPI fake_query(HANDLE process, int kind, void *into, ULONG size, ULONG *needed) {
  if (kind != 26) return real_query(process, kind, into, size, needed);
  *(ULONG_PTR *)into = 0x7ffd0000;
  return 0;
}

static DWORD pretend_32_bit(void) {
  BYTE jump[13] = {0x49, 0xbb, 0, 0, 0, 0, 0, 0, 0, 0, 0x41, 0xff, 0xe3};
  BYTE *stub = (BYTE *)(void *)GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "NtQueryInformationProcess");
  BYTE *copy = VirtualAlloc(NULL, 64, MEM_RESERVE | MEM_COMMIT, PAGE_EXECUTE_READWRITE);
  const void *to = (const void *)fake_query;
  DWORD before;
  if (!copy || !VirtualProtect(stub, 32, PAGE_EXECUTE_READWRITE, &before)) return GetLastError();
  memcpy(copy, stub, 32);
  real_query = (void *)copy;
  memcpy(jump + 2, &to, sizeof(to));
  memcpy(stub + 8, jump, sizeof(jump));
  return 0;
}

/* Says things on the event pipe that nobody should believe. */
static DWORD garbage(const wchar_t *pipe) {
  static char bytes[20000];
  DWORD done;
  memset(bytes, 0x41, sizeof(bytes));
  for (int i = 0; i < 8; i++) {
    HANDLE end = CreateFileW(pipe, FILE_READ_DATA | FILE_WRITE_DATA, 0, NULL, OPEN_EXISTING, 0, NULL);
    if (end == INVALID_HANDLE_VALUE && GetLastError() == ERROR_PIPE_BUSY && WaitNamedPipeW(pipe, 2000)) {
      end = CreateFileW(pipe, FILE_READ_DATA | FILE_WRITE_DATA, 0, NULL, OPEN_EXISTING, 0, NULL);
    }
    if (end == INVALID_HANDLE_VALUE) return GetLastError();
    WriteFile(end, bytes, i % 2 ? 5 : sizeof(bytes), &done, NULL);
    CloseHandle(end);
  }
  return 0;
}

static DWORD clock_change(void) {
  SYSTEMTIME now;
  GetSystemTime(&now);
  return last(SetSystemTime(&now));
}

static DWORD open_service(const wchar_t *name) {
  SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
  if (!manager) return GetLastError();
  SC_HANDLE service = OpenServiceW(manager, name, SERVICE_START);
  const DWORD error = service ? 0 : GetLastError();
  if (service) CloseServiceHandle(service);
  CloseServiceHandle(manager);
  return error;
}

/* The event pipe's name stands in a handle of this very process. Another instance of it would hear what is meant for the supervisor. */
static DWORD squat(void) {
  static BYTE space[2048];
  for (ULONG_PTR value = 4; value < 4000; value += 4) {
    const HANDLE handle = (HANDLE)value;
    const UNICODE_STRING *name = (const UNICODE_STRING *)(const void *)space;
    ULONG needed;
    wchar_t text[256];
    if (GetFileType(handle) != FILE_TYPE_PIPE || NtQueryObject(handle, (OBJECT_INFORMATION_CLASS)1, space, sizeof(space), &needed) < 0) continue;
    if (!name->Buffer || name->Length > 400) continue;
    _snwprintf(text, 256, L"%.*ls", name->Length / 2, name->Buffer);
    const wchar_t *own = wcsstr(text, L"bulkhead-");
    if (!own) continue;
    wchar_t pipe[300];
    _snwprintf(pipe, 300, L"\\\\.\\pipe\\%ls", own);
    HANDLE end = CreateNamedPipeW(pipe, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE, PIPE_UNLIMITED_INSTANCES, 64, 64, 0, NULL);
    if (end == INVALID_HANDLE_VALUE) return GetLastError();
    CloseHandle(end);
    return 0;
  }
  return ERROR_FILE_NOT_FOUND;
}

int wmain(int count, wchar_t **a);
int wmain(int count, wchar_t **a) {
  setvbuf(stdout, NULL, _IOLBF, 4096);
  for (int i = 1; i < count;) {
    const wchar_t *act = a[i++];
    const wchar_t *one = i < count ? a[i] : L"";
    const wchar_t *two = i + 1 < count ? a[i + 1] : L"";
    DWORD error = ERROR_INVALID_FUNCTION;
    int taken = 1;
    if (!wcscmp(act, L"write")) error = write_file(one);
    else if (!wcscmp(act, L"read")) error = read_file(one);
    else if (!wcscmp(act, L"delete")) error = last(DeleteFileW(one));
    else if (!wcscmp(act, L"dispose")) error = dispose(one);
    else if (!wcscmp(act, L"delete-on-close")) error = delete_on_close(one);
    else if (!wcscmp(act, L"native-delete")) error = native_delete(one);
    else if (!wcscmp(act, L"relative-write")) error = relative_write(one);
    else if (!wcscmp(act, L"rmdir")) error = last(RemoveDirectoryW(one));
    else if (!wcscmp(act, L"mkdir")) error = last(CreateDirectoryW(one, NULL));
    else if (!wcscmp(act, L"attributes")) error = last(SetFileAttributesW(one, FILE_ATTRIBUTE_READONLY));
    else if (!wcscmp(act, L"exists")) error = GetFileAttributesW(one) == INVALID_FILE_ATTRIBUTES ? GetLastError() : 0;
    else if (!wcscmp(act, L"run")) error = run(one);
    else if (!wcscmp(act, L"connect")) error = connect_to(one);
    else if (!wcscmp(act, L"bind")) error = bind_to(one, false);
    else if (!wcscmp(act, L"bind6")) error = bind_to(one, true);
    else if (!wcscmp(act, L"sendto")) error = send_datagram(one);
    else if (!wcscmp(act, L"service")) error = open_service(one);
    else if (!wcscmp(act, L"garbage")) error = garbage(one);
    else if (!wcscmp(act, L"pretend-32-bit")) error = pretend_32_bit(), taken = 0;
    else if (!wcscmp(act, L"create-value")) error = RegSetKeyValueW(HKEY_CURRENT_USER, one, two, REG_SZ, L"x", 4), taken = 2;
    else if (!wcscmp(act, L"wait")) Sleep((DWORD)_wtoi(one)), error = 0;
    else if (!wcscmp(act, L"exit")) return _wtoi(one);
    else if (!wcscmp(act, L"rename")) error = last(MoveFileExW(one, two, MOVEFILE_REPLACE_EXISTING)), taken = 2;
    else if (!wcscmp(act, L"link")) error = last(CreateHardLinkW(two, one, NULL)), taken = 2;
    else if (!wcscmp(act, L"copy")) error = last(CopyFileW(one, two, FALSE)), taken = 2;
    else if (!wcscmp(act, L"set-value")) error = set_value(one, two), taken = 2;
    else if (!wcscmp(act, L"has-value")) error = has_value(one, two), taken = 2;
    else if (!wcscmp(act, L"delete-value")) error = RegDeleteKeyValueW(HKEY_CURRENT_USER, one, two), taken = 2;
    else if (!wcscmp(act, L"delete-key")) error = RegDeleteKeyW(HKEY_CURRENT_USER, one);
    else if (!wcscmp(act, L"flood")) error = flood(one, _wtoi(two)), taken = 2;
    else if (!wcscmp(act, L"inspect")) error = with_victim(a[0], PROCESS_VM_READ | PROCESS_QUERY_INFORMATION, false), taken = 0;
    else if (!wcscmp(act, L"terminate")) error = with_victim(a[0], PROCESS_TERMINATE, true), taken = 0;
    else if (!wcscmp(act, L"squat")) error = squat(), taken = 0;
    else if (!wcscmp(act, L"clock")) error = clock_change(), taken = 0;
    i += taken;
    printf("%ls %lu\n", act, error);
  }
  return 0;
}
