#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "agent.h"
#include "object.h"

static int inet4(struct bh_object *object, const void *address, uint16_t port) {
  char text[INET_ADDRSTRLEN];
  if (inet_ntop(AF_INET, address, text, sizeof(text)) == NULL) return -EINVAL;
  snprintf(object->named, sizeof(object->named), "%s:%u", text, ntohs(port));
  return 0;
}

/* An IPv4 address in IPv6 clothing is the IPv4 address: one destination, one spelling. */
static int inet6(struct bh_object *object, const struct sockaddr_in6 *address) {
  if (IN6_IS_ADDR_V4MAPPED(&address->sin6_addr)) return inet4(object, &address->sin6_addr.s6_addr[12], address->sin6_port);
  char text[INET6_ADDRSTRLEN];
  if (inet_ntop(AF_INET6, &address->sin6_addr, text, sizeof(text)) == NULL) return -EINVAL;
  snprintf(object->named, sizeof(object->named), "[%s]:%u", text, ntohs(address->sin6_port));
  return 0;
}

static int local(struct bh_object *object, pid_t pid, int root, const struct sockaddr_un *address, size_t length) {
  const size_t size = length - offsetof(struct sockaddr_un, sun_path);
  if (size == 0) return -ENOMSG; /* autobind */
  if (address->sun_path[0] != '\0') return bh_object_relative(object, pid, root, address->sun_path, strnlen(address->sun_path, size));
  /* Abstract names may hold any byte, NUL too; shown as `?`, so that the text is the whole name. */
  object->named[0] = '@';
  for (size_t i = 1; i < size; i++) object->named[i] = address->sun_path[i] != '\0' ? address->sun_path[i] : '?';
  object->named[size] = '\0';
  return 0;
}

int bh_object_address(struct bh_object *object, pid_t pid, int root, uint64_t address, uint32_t length, bool unspecified) {
  union {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
    struct sockaddr_storage storage;
  } copy;
  memset(&copy, 0, sizeof(copy));
  if (length < sizeof(copy.any.sa_family) || length > sizeof(copy.storage)) return -EINVAL;
  const int got = bh_agent_bytes(pid, address, &copy, length);
  if (got < 0) return got;

  if (unspecified && copy.any.sa_family == AF_UNSPEC) copy.any.sa_family = AF_INET;
  int made = -ENOMSG;
  switch (copy.any.sa_family) {
    case AF_INET: made = length < sizeof(copy.in) ? -EINVAL : inet4(object, &copy.in.sin_addr, copy.in.sin_port); break;
    /* sin6_scope_id came later and may be missing (SIN6_LEN_RFC2133). */
    case AF_INET6: made = length < offsetof(struct sockaddr_in6, sin6_scope_id) ? -EINVAL : inet6(object, &copy.in6); break;
    case AF_UNIX:
      if (length > sizeof(copy.un)) return -EINVAL;
      made = local(object, pid, root, &copy.un, length);
      if (made == 0 && copy.un.sun_path[0] != '\0') return 0;
      break;
    default: break;
  }
  if (made == 0) memcpy(object->real, object->named, strlen(object->named) + 1);
  object->missing = false;
  return made;
}
