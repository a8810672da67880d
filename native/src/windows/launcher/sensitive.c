#include "sensitive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
/* After windows.h. */
#include <objbase.h>
#include <winternl.h>

#include "hook-attempt.h"
#include "sensitive-network.h"

/*
 * The list. Those that name a process are followed by its pid, `privilege` by a name (Win32: "Privilege Constants"):
 *   breakaway                 starting a process outside the job
 *   read-process PID          opening a process to read its memory
 *   change-process PID        opening a process to change it, which ending it is not
 *   open-token PID            opening the token of a process to act with it
 *   privilege NAME            enabling a privilege; it is disabled again
 *   load-driver               of a driver that does not exist
 *   service-manager           opening it to create services
 *   machine-registry          HKLM\SOFTWARE, to create keys in it
 *   user-registry             HKCU\Environment, to set values of the user's own
 *   global-object             making a section in the namespace of all sessions
 *   user-desktop              opening the desktop that the user sees
 *   new-desktop               making another desktop
 *   com-server                starting a server process by COM, outside every job (ShellWindows)
 *   listen-v4, listen-v6      on a free port of the loopback
 *   datagram-v4, datagram-v6  one to an address that is nobody's
 *   intercept:ACT             of the acts that rules know (hook-policy.h): refused where the hook is at work
 */

/* A second copy of this process that is suspended and ended at once; what counts is whether it could have left the job. */
static uint32_t breakaway(const char *argument) {
  wchar_t file[MAX_PATH];
  STARTUPINFOW info = {.cb = sizeof(info)};
  PROCESS_INFORMATION process;
  (void)argument;
  if (GetModuleFileNameW(NULL, file, MAX_PATH) == 0) return GetLastError();
  if (!CreateProcessW(file, NULL, NULL, NULL, FALSE, CREATE_SUSPENDED | CREATE_BREAKAWAY_FROM_JOB, NULL, NULL, &info, &process)) {
    return GetLastError();
  }
  TerminateProcess(process.hProcess, 0);
  CloseHandle(process.hThread);
  CloseHandle(process.hProcess);
  return 0;
}

static uint32_t open_process(const char *argument, DWORD access, HANDLE *process) {
  const unsigned long pid = strtoul(argument, NULL, 10);
  if (pid == 0 || pid == GetCurrentProcessId()) return ERROR_INVALID_PARAMETER;
  *process = OpenProcess(access, FALSE, pid);
  return *process ? 0 : GetLastError();
}

static uint32_t read_process(const char *argument) {
  HANDLE process;
  const uint32_t error = open_process(argument, PROCESS_VM_READ, &process);
  if (error == 0) CloseHandle(process);
  return error;
}

/* Any one of the rights of GENERIC_WRITE; PROCESS_TERMINATE is one of GENERIC_EXECUTE ("Windows Integrity Mechanism Design"). */
static uint32_t change_process(const char *argument) {
  static const DWORD rights[] = {PROCESS_VM_OPERATION | PROCESS_VM_WRITE, PROCESS_CREATE_THREAD,   PROCESS_DUP_HANDLE, PROCESS_CREATE_PROCESS,
                                 PROCESS_SET_INFORMATION,                 PROCESS_SUSPEND_RESUME, PROCESS_SET_QUOTA};
  uint32_t error = 0;
  for (size_t i = 0; i < sizeof(rights) / sizeof(*rights); i++) {
    HANDLE process;
    error = open_process(argument, rights[i], &process);
    if (error != 0) continue;
    CloseHandle(process);
    return 0;
  }
  return error;
}

static uint32_t open_token(const char *argument) {
  HANDLE process, token = NULL;
  uint32_t error = open_process(argument, PROCESS_QUERY_LIMITED_INFORMATION, &process);
  if (error != 0) return error;
  if (!OpenProcessToken(process, TOKEN_DUPLICATE | TOKEN_IMPERSONATE, &token)) error = GetLastError();
  if (token) CloseHandle(token);
  CloseHandle(process);
  return error;
}

static uint32_t privilege(const char *argument) {
  HANDLE token;
  TOKEN_PRIVILEGES wanted = {.PrivilegeCount = 1}, before = {0};
  DWORD size = sizeof(before);
  if (!LookupPrivilegeValueA(NULL, argument, &wanted.Privileges[0].Luid)) return GetLastError();
  if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES | TOKEN_QUERY, &token)) return GetLastError();
  wanted.Privileges[0].Attributes = SE_PRIVILEGE_ENABLED;
  AdjustTokenPrivileges(token, FALSE, &wanted, sizeof(before), &before, &size);
  uint32_t error = GetLastError();
  if (error == 0) AdjustTokenPrivileges(token, FALSE, &before, 0, NULL, NULL);
  CloseHandle(token);
  return error == ERROR_NOT_ALL_ASSIGNED ? ERROR_PRIVILEGE_NOT_HELD : error;
}

/* Asks for the privilege before it looks for the name, which is nobody's. */
static uint32_t load_driver(const char *argument) {
  NTSTATUS(NTAPI * load)(PUNICODE_STRING);
  UNICODE_STRING name;
  (void)argument;
  load = (NTSTATUS(NTAPI *)(PUNICODE_STRING))(void *)GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "NtLoadDriver");
  if (!load) return ERROR_PROC_NOT_FOUND;
  RtlInitUnicodeString(&name, L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\bulkhead-no-such-driver");
  const NTSTATUS status = load(&name);
  return status >= 0 ? 0 : RtlNtStatusToDosError(status);
}

static uint32_t service_manager(const char *argument) {
  (void)argument;
  SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CREATE_SERVICE);
  if (!manager) return GetLastError();
  CloseServiceHandle(manager);
  return 0;
}

static uint32_t open_key(HKEY root, const wchar_t *path, REGSAM access) {
  HKEY key;
  const LSTATUS error = RegOpenKeyExW(root, path, 0, access, &key);
  if (error == 0) RegCloseKey(key);
  return (uint32_t)error;
}

static uint32_t machine_registry(const char *argument) {
  (void)argument;
  return open_key(HKEY_LOCAL_MACHINE, L"SOFTWARE", KEY_CREATE_SUB_KEY);
}

static uint32_t user_registry(const char *argument) {
  (void)argument;
  return open_key(HKEY_CURRENT_USER, L"Environment", KEY_SET_VALUE);
}

static uint32_t global_object(const char *argument) {
  wchar_t name[64];
  (void)argument;
  _snwprintf(name, sizeof(name) / sizeof(*name), L"Global\\bulkhead-attempt-%lu", GetCurrentProcessId());
  HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 4096, name);
  if (!section) return GetLastError();
  CloseHandle(section);
  return 0;
}

static uint32_t user_desktop(const char *argument) {
  (void)argument;
  HWINSTA station = OpenWindowStationW(L"WinSta0", FALSE, WINSTA_READATTRIBUTES);
  if (!station) return GetLastError();
  HWINSTA before = GetProcessWindowStation();
  uint32_t error = SetProcessWindowStation(station) ? 0 : GetLastError();
  if (error == 0) {
    HDESK desktop = OpenDesktopW(L"Default", 0, FALSE, DESKTOP_READOBJECTS | DESKTOP_WRITEOBJECTS);
    if (desktop) {
      CloseDesktop(desktop);
    } else {
      error = GetLastError();
    }
    SetProcessWindowStation(before);
  }
  CloseWindowStation(station);
  return error;
}

static uint32_t new_desktop(const char *argument) {
  (void)argument;
  HDESK desktop = CreateDesktopW(L"bulkhead-attempt", NULL, NULL, 0, DESKTOP_CREATEWINDOW, NULL);
  if (!desktop) return GetLastError();
  CloseDesktop(desktop);
  return 0;
}

/* Loaded when it is asked for: no other process of a sandbox needs COM from us. */
static HRESULT start_server(const GUID *class) {
  HRESULT(WINAPI * initialize)(void *, DWORD);
  HRESULT(WINAPI * create)(REFCLSID, IUnknown *, DWORD, REFIID, void **);
  IUnknown *object = NULL;
  HMODULE ole = LoadLibraryExW(L"ole32.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
  if (!ole) return HRESULT_FROM_WIN32(GetLastError());
  initialize = (HRESULT(WINAPI *)(void *, DWORD))(void *)GetProcAddress(ole, "CoInitializeEx");
  create = (HRESULT(WINAPI *)(REFCLSID, IUnknown *, DWORD, REFIID, void **))(void *)GetProcAddress(ole, "CoCreateInstance");
  if (!initialize || !create) return HRESULT_FROM_WIN32(ERROR_PROC_NOT_FOUND);
  static const GUID unknown = {0, 0, 0, {0xC0, 0, 0, 0, 0, 0, 0, 0x46}};
  HRESULT result = initialize(NULL, COINIT_MULTITHREADED);
  if (SUCCEEDED(result)) result = create(class, NULL, CLSCTX_LOCAL_SERVER, &unknown, (void **)&object);
  if (object) object->lpVtbl->Release(object);
  return result;
}

static uint32_t com_server(const char *argument) {
  static const GUID shell_windows = {0x9BA05972, 0xF6A8, 0x11CF, {0xA4, 0x42, 0x00, 0xA0, 0xC9, 0x0A, 0x8F, 0x39}};
  (void)argument;
  const HRESULT result = start_server(&shell_windows);
  if (SUCCEEDED(result)) return 0;
  return HRESULT_FACILITY(result) == FACILITY_WIN32 ? (uint32_t)HRESULT_CODE(result) : (uint32_t)result;
}

static const struct {
  const char *name;
  uint32_t (*act)(const char *argument);
} acts[] = {
    {"breakaway", breakaway},
    {"read-process", read_process},
    {"change-process", change_process},
    {"open-token", open_token},
    {"privilege", privilege},
    {"load-driver", load_driver},
    {"service-manager", service_manager},
    {"machine-registry", machine_registry},
    {"user-registry", user_registry},
    {"global-object", global_object},
    {"user-desktop", user_desktop},
    {"new-desktop", new_desktop},
    {"com-server", com_server},
    {"listen-v4", bh_try_listen_v4},
    {"listen-v6", bh_try_listen_v6},
    {"datagram-v4", bh_try_datagram_v4},
    {"datagram-v6", bh_try_datagram_v6},
    {"intercept", bh_hook_attempt},
};

uint32_t bh_sensitive(const char *name) {
  const size_t length = strcspn(name, " :");
  const char *argument = name + length + strspn(name + length, " :");
  for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
    if (strlen(acts[i].name) == length && strncmp(acts[i].name, name, length) == 0) return acts[i].act(argument);
  }
  return ERROR_INVALID_PARAMETER;
}
