#include "attempt.h"

#include <stdbool.h>
#include <stdlib.h>
#include <winsock2.h>
#include <ws2tcpip.h>
/* After winsock2.h. */
#include <windows.h>

#include "bulkhead.h"
#include "sensitive.h"
#include "status.h"
#include "text.h"

/* FILE_FLAG_BACKUP_SEMANTICS: directories too, as open(2) does; without the privilege it gives nothing more. */
static uint32_t try_open(const wchar_t *path, DWORD access, DWORD disposition) {
  const DWORD share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
  HANDLE file = CreateFileW(path, access, share, NULL, disposition, FILE_FLAG_BACKUP_SEMANTICS, NULL);
  if (file == INVALID_HANDLE_VALUE) return GetLastError();
  CloseHandle(file);
  return 0;
}

static uint32_t try_create(const wchar_t *path) {
  const uint32_t result = try_open(path, GENERIC_WRITE, CREATE_NEW);
  if (result == 0) DeleteFileW(path);
  return result;
}

static uint32_t await_connection(SOCKET s) {
  fd_set writable, failed;
  FD_ZERO(&writable);
  FD_ZERO(&failed);
  FD_SET(s, &writable);
  FD_SET(s, &failed);
  struct timeval second = {1, 0};
  if (select(0, NULL, &writable, &failed, &second) <= 0) return WSAETIMEDOUT;
  int error = 0, length = sizeof(error);
  if (getsockopt(s, SOL_SOCKET, SO_ERROR, (char *)&error, &length) != 0) return (uint32_t)WSAGetLastError();
  return (uint32_t)error;
}

/* A refusal must be prompt; a second without an answer counts as one. */
static uint32_t try_connect(const wchar_t *address, uint16_t port) {
  struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
  struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  WSADATA data;
  const int started = WSAStartup(MAKEWORD(2, 2), &data);
  if (started != 0) return (uint32_t)started;
  const bool is_four = InetPtonW(AF_INET, address, &four.sin_addr) == 1;
  if (!is_four && InetPtonW(AF_INET6, address, &six.sin6_addr) != 1) return ERROR_INVALID_PARAMETER;
  SOCKET s = socket(is_four ? AF_INET : AF_INET6, SOCK_STREAM, IPPROTO_TCP);
  if (s == INVALID_SOCKET) return (uint32_t)WSAGetLastError();
  u_long nonblocking = 1;
  uint32_t result = 0;
  const struct sockaddr *to = is_four ? (struct sockaddr *)&four : (struct sockaddr *)&six;
  if (ioctlsocket(s, FIONBIO, &nonblocking) != 0 || connect(s, to, is_four ? sizeof(four) : sizeof(six)) != 0) {
    result = (uint32_t)WSAGetLastError();
    if (result == WSAEWOULDBLOCK) result = await_connection(s);
  }
  closesocket(s);
  return result;
}

/* Any one of what it takes to change or end another process is too much. */
static uint32_t try_signal(uint32_t pid) {
  static const DWORD rights[] = {PROCESS_TERMINATE,      PROCESS_VM_OPERATION | PROCESS_VM_WRITE, PROCESS_CREATE_THREAD, PROCESS_DUP_HANDLE,
                                 PROCESS_CREATE_PROCESS, PROCESS_SET_INFORMATION,                 PROCESS_SUSPEND_RESUME};
  if (pid == 0 || pid == GetCurrentProcessId()) return ERROR_INVALID_PARAMETER;
  uint32_t result = 0;
  for (size_t i = 0; i < sizeof(rights) / sizeof(*rights); i++) {
    HANDLE process = OpenProcess(rights[i], FALSE, pid);
    if (process) {
      CloseHandle(process);
      return 0;
    }
    result = GetLastError();
  }
  return result;
}

static uint32_t try_text(uint8_t op, const char *text, uint32_t number, char *value, size_t size) {
  if (op == BH_TRY_STATUS) return bh_status(text, value, size);
  if (op == BH_TRY_SYSCALL) return bh_sensitive(text);
  wchar_t *wide = bh_wide(text);
  if (!wide) return GetLastError();
  uint32_t result = ERROR_INVALID_PARAMETER;
  switch (op) {
    case BH_TRY_READ:
      result = try_open(wide, GENERIC_READ, OPEN_EXISTING);
      break;
    case BH_TRY_WRITE:
      result = try_open(wide, GENERIC_WRITE, OPEN_EXISTING);
      break;
    case BH_TRY_CREATE:
      result = try_create(wide);
      break;
    case BH_TRY_CONNECT:
      result = number > 0 && number <= 65535 ? try_connect(wide, (uint16_t)number) : ERROR_INVALID_PARAMETER;
      break;
  }
  free(wide);
  return result;
}

static uint32_t try_one(struct bh_reader *r, char *value, size_t size) {
  const uint8_t op = bh_read_u8(r);
  if (op < BH_TRY_READ || op > BH_TRY_STATUS) r->failed = true;
  char *text = op == BH_TRY_SIGNAL ? NULL : bh_read_text(r);
  const uint32_t number = op == BH_TRY_CONNECT || op == BH_TRY_SIGNAL ? bh_read_u32(r) : 0;
  uint32_t result = ERROR_INVALID_PARAMETER;
  if (!r->failed) result = op == BH_TRY_SIGNAL ? try_signal(number) : try_text(op, text, number, value, size);
  free(text);
  return result;
}

int bh_try_all(struct bh_reader *r, struct bh_writer *w) {
  const uint32_t count = bh_read_count(r, 5);
  bh_begin(w, BH_OUTCOMES);
  bh_write_u32(w, count);
  for (uint32_t i = 0; i < count && !r->failed; i++) {
    char value[1024] = "";
    bh_write_u32(w, try_one(r, value, sizeof(value)));
    bh_write_text(w, value);
  }
  return r->failed || r->left != 0 ? -1 : 0;
}
