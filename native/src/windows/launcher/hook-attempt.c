#include "hook-attempt.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <winsock2.h>
#include <ws2tcpip.h>
/* After winsock2.h. */
#include <windows.h>
#include <winternl.h>

#include "../hook-policy.h"
#include "../hook-proof.h"
#include "../inject.h"

NTSYSAPI NTSTATUS NTAPI NtLoadDriver(UNICODE_STRING *key);

static const volatile struct bh_hook_state *state(void) {
  const HMODULE hook = GetModuleHandleW(L"bulkhead-hook.dll");
  const volatile struct bh_hook_state *found = hook ? (const void *)GetProcAddress(hook, "bulkhead_hook_state") : NULL;
  return found && found->magic == BH_HOOK_STATE_MAGIC ? found : NULL;
}

static uint32_t ended(HANDLE handle) {
  if (handle == INVALID_HANDLE_VALUE || handle == NULL) return GetLastError();
  CloseHandle(handle);
  return 0;
}

/* What no process has a handle under. A proof is answered before anybody looks at it. */
#define NO_HANDLE ((HANDLE)(intptr_t)0x7ffffff0)

static uint32_t file_write(void) {
  return ended(CreateFileW(BH_HOOK_PROOF_PATH, GENERIC_WRITE, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL));
}

static uint32_t file_delete(void) {
  return ended(CreateFileW(BH_HOOK_PROOF_PATH, DELETE, FILE_SHARE_READ, NULL, OPEN_EXISTING, FILE_FLAG_DELETE_ON_CLOSE, NULL));
}

static uint32_t set_information(FILE_INFO_BY_HANDLE_CLASS kind, void *information, DWORD length) {
  return SetFileInformationByHandle(NO_HANDLE, kind, information, length) ? 0 : GetLastError();
}

static uint32_t file_rename(void) {
  union {
    FILE_RENAME_INFO rename;
    uint8_t bytes[sizeof(FILE_RENAME_INFO) + sizeof(BH_HOOK_PROOF_PATH)];
  } information = {{.FileNameLength = sizeof(BH_HOOK_PROOF_PATH) - sizeof(wchar_t)}};
  memcpy(information.rename.FileName, BH_HOOK_PROOF_PATH, sizeof(BH_HOOK_PROOF_PATH));
  return set_information(FileRenameInfo, &information, sizeof(information));
}

static uint32_t file_chmod(void) {
  FILE_BASIC_INFO information = {.LastWriteTime.QuadPart = BH_HOOK_PROOF_TIME, .FileAttributes = FILE_ATTRIBUTE_NORMAL};
  return set_information(FileBasicInfo, &information, sizeof(information));
}

static uint32_t process_exec(void) {
  STARTUPINFOW startup = {.cb = sizeof(startup)};
  PROCESS_INFORMATION process;
  if (!CreateProcessW(BH_HOOK_PROOF_PATH, NULL, NULL, NULL, FALSE, CREATE_SUSPENDED, NULL, NULL, &startup, &process)) return GetLastError();
  TerminateProcess(process.hProcess, 1);
  CloseHandle(process.hThread);
  CloseHandle(process.hProcess);
  return 0;
}

static uint32_t process_signal(void) { return TerminateProcess(NO_HANDLE, 1) ? 0 : GetLastError(); }
/* No process has the number 0 that could be opened. */
static uint32_t process_inspect(void) { return ended(OpenProcess(PROCESS_VM_READ, FALSE, 0)); }

static uint32_t with_socket(int (*act)(SOCKET s, const struct sockaddr *address, int length)) {
  WSADATA data;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(BH_HOOK_PROOF_PORT)};
  u_long nonblocking = 1;
  const int started = WSAStartup(MAKEWORD(2, 2), &data);
  if (started != 0) return (uint32_t)started;
  if (inet_pton(AF_INET, BH_HOOK_PROOF_ADDRESS, &address.sin_addr) != 1) return ERROR_INVALID_PARAMETER;
  SOCKET s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
  if (s == INVALID_SOCKET) return (uint32_t)WSAGetLastError();
  uint32_t error = 0;
  if (ioctlsocket(s, FIONBIO, &nonblocking) != 0 || act(s, (const struct sockaddr *)&address, sizeof(address)) != 0) {
    error = (uint32_t)WSAGetLastError();
  }
  closesocket(s);
  return error;
}

static int do_connect(SOCKET s, const struct sockaddr *address, int length) { return connect(s, address, length); }
static int do_bind(SOCKET s, const struct sockaddr *address, int length) { return bind(s, address, length); }
static uint32_t net_connect(void) { return with_socket(do_connect); }
static uint32_t net_bind(void) { return with_socket(do_bind); }

static uint32_t open_key(REGSAM access) {
  HKEY key;
  const LSTATUS error = RegOpenKeyExW(HKEY_LOCAL_MACHINE, BH_HOOK_PROOF_KEY, 0, access, &key);
  if (error == 0) RegCloseKey(key);
  return (uint32_t)error;
}

static uint32_t registry_write(void) { return open_key(KEY_SET_VALUE); }
static uint32_t registry_delete(void) { return open_key(DELETE); }

static uint32_t service_control(void) {
  SC_HANDLE service = OpenServiceW(NULL, BH_HOOK_PROOF_NAME, SERVICE_START);
  if (!service) return GetLastError();
  CloseServiceHandle(service);
  return 0;
}

static uint32_t system_change(void) {
  wchar_t key[] = L"\\Registry\\Machine\\" BH_HOOK_PROOF_KEY;
  UNICODE_STRING name = {sizeof(key) - sizeof(wchar_t), sizeof(key), key};
  const NTSTATUS status = NtLoadDriver(&name);
  return status >= 0 ? 0 : RtlNtStatusToDosError(status);
}

uint32_t bh_hook_attempt(const char *act) {
  static uint32_t (*const acts[BH_HOOK_ACTS])(void) = {
      [BH_HOOK_FILE_WRITE] = file_write,         [BH_HOOK_FILE_DELETE] = file_delete,         [BH_HOOK_FILE_RENAME] = file_rename,
      [BH_HOOK_FILE_CHMOD] = file_chmod,         [BH_HOOK_PROCESS_EXEC] = process_exec,       [BH_HOOK_PROCESS_SIGNAL] = process_signal,
      [BH_HOOK_PROCESS_INSPECT] = process_inspect, [BH_HOOK_NET_CONNECT] = net_connect,       [BH_HOOK_NET_BIND] = net_bind,
      [BH_HOOK_REGISTRY_WRITE] = registry_write, [BH_HOOK_REGISTRY_DELETE] = registry_delete, [BH_HOOK_SERVICE_CONTROL] = service_control,
      [BH_HOOK_SYSTEM_CHANGE] = system_change,
  };
  const int which = bh_hook_act_from_name(act);
  if (which < 0) return ERROR_INVALID_PARAMETER;
  const volatile struct bh_hook_state *hook = state();
  const uint32_t before = hook ? hook->proofs : 0;
  const uint32_t error = acts[which]();
  if (error == 0) return 0;
  if (hook && hook->proofs != before) return ERROR_ACCESS_DENIED;
  return error == ERROR_ACCESS_DENIED || error == WSAEACCES ? ERROR_CAN_NOT_COMPLETE : error;
}

uint32_t bh_hook_status(char *value, size_t size) {
  const volatile struct bh_hook_state *hook = state();
  if (hook) {
    snprintf(value, size, "ready hooks=%u rules=%u", (unsigned)hook->hooks, (unsigned)hook->rules);
  } else {
    snprintf(value, size, "none");
  }
  return 0;
}
