#include "sensitive-network.h"

#include <stdbool.h>
#include <winsock2.h>
#include <ws2tcpip.h>

#define DISCARD 9

/* `name` of the family, port 0 or DISCARD. Returns the size; 0: not an address, which is a defect here. */
static int address(int family, const wchar_t *name, uint16_t port, struct sockaddr_storage *made) {
  *made = (struct sockaddr_storage){.ss_family = (ADDRESS_FAMILY)family};
  struct sockaddr_in *four = (struct sockaddr_in *)made;
  struct sockaddr_in6 *six = (struct sockaddr_in6 *)made;
  if (family == AF_INET) {
    four->sin_port = htons(port);
    return InetPtonW(AF_INET, name, &four->sin_addr) == 1 ? (int)sizeof(*four) : 0;
  }
  six->sin6_port = htons(port);
  return InetPtonW(AF_INET6, name, &six->sin6_addr) == 1 ? (int)sizeof(*six) : 0;
}

static uint32_t with_socket(int family, int type, uint32_t (*act)(SOCKET, int)) {
  WSADATA data;
  const int started = WSAStartup(MAKEWORD(2, 2), &data);
  if (started != 0) return (uint32_t)started;
  SOCKET s = socket(family, type, type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP);
  if (s == INVALID_SOCKET) return (uint32_t)WSAGetLastError();
  const uint32_t result = act(s, family);
  closesocket(s);
  return result;
}

static uint32_t bound(SOCKET s, int family, const wchar_t *name) {
  struct sockaddr_storage at;
  const int size = address(family, name, 0, &at);
  if (size == 0) return ERROR_INVALID_PARAMETER;
  return bind(s, (struct sockaddr *)&at, size) == 0 ? 0 : (uint32_t)WSAGetLastError();
}

static uint32_t listening(SOCKET s, int family) {
  const uint32_t result = bound(s, family, family == AF_INET ? L"127.0.0.1" : L"::1");
  if (result != 0) return result;
  return listen(s, 1) == 0 ? 0 : (uint32_t)WSAGetLastError();
}

static uint32_t sending(SOCKET s, int family) {
  struct sockaddr_storage to;
  const int size = address(family, family == AF_INET ? L"192.0.2.77" : L"2001:db8::77", DISCARD, &to);
  const uint32_t result = size == 0 ? ERROR_INVALID_PARAMETER : bound(s, family, family == AF_INET ? L"0.0.0.0" : L"::");
  if (result != 0) return result;
  return sendto(s, "", 0, 0, (struct sockaddr *)&to, size) == 0 ? 0 : (uint32_t)WSAGetLastError();
}

uint32_t bh_try_listen_v4(const char *unused) {
  (void)unused;
  return with_socket(AF_INET, SOCK_STREAM, listening);
}

uint32_t bh_try_listen_v6(const char *unused) {
  (void)unused;
  return with_socket(AF_INET6, SOCK_STREAM, listening);
}

uint32_t bh_try_datagram_v4(const char *unused) {
  (void)unused;
  return with_socket(AF_INET, SOCK_DGRAM, sending);
}

uint32_t bh_try_datagram_v6(const char *unused) {
  (void)unused;
  return with_socket(AF_INET6, SOCK_DGRAM, sending);
}
