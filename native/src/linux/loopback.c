#include "loopback.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int bh_loopback_up(struct bh_fault *fault) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return bh_fault(fault, 0, "socket", NULL);
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
  const int result = ioctl(fd, SIOCSIFFLAGS, &request);
  if (result < 0) bh_fault(fault, 0, "bringing up", "lo");
  close(fd);
  return result;
}

/* rtnetlink(7): one RTM_NEWROUTE and its acknowledgement. */
static int add_route(int fd, uint8_t family) {
  struct {
    struct nlmsghdr header;
    struct rtmsg route;
    struct rtattr attribute;
    uint32_t interface;
  } request = {
      .header = {.nlmsg_len = sizeof(request), .nlmsg_type = RTM_NEWROUTE, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE},
      .route = {.rtm_family = family, .rtm_table = RT_TABLE_LOCAL, .rtm_protocol = RTPROT_STATIC, .rtm_scope = RT_SCOPE_HOST, .rtm_type = RTN_LOCAL},
      .attribute = {.rta_len = RTA_LENGTH(sizeof(uint32_t)), .rta_type = RTA_OIF},
      .interface = if_nametoindex("lo"),
  };
  if (send(fd, &request, sizeof(request), 0) < 0) return -errno;
  struct {
    struct nlmsghdr header;
    struct nlmsgerr error;
    char rest[512];
  } reply;
  const ssize_t n = recv(fd, &reply, sizeof(reply), 0);
  if (n < (ssize_t)(sizeof(reply.header) + sizeof(reply.error.error))) return n < 0 ? -errno : -EPROTO;
  return reply.header.nlmsg_type == NLMSG_ERROR ? reply.error.error : -EPROTO;
}

static bool has_ipv6(void) {
  const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  close(fd);
  return true;
}

int bh_loopback_all(struct bh_fault *fault) {
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return bh_fault(fault, 0, "netlink socket", NULL);
  int code = add_route(fd, AF_INET);
  /* Without IPv6 in the kernel there is nothing to route; with it switched off per interface the route cannot be had and nothing can leave either. */
  if (code == 0 && has_ipv6()) {
    code = add_route(fd, AF_INET6);
    if (code == -EACCES || code == -EINVAL || code == -ENETDOWN || code == -EOPNOTSUPP) code = 0;
  }
  close(fd);
  return code == 0 ? 0 : bh_fault(fault, -code, "route of every address to loopback", NULL);
}

static int listen_on(const struct bh_listener *listener, struct bh_fault *fault) {
  const int type = (listener->udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;
  struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(listener->port)};
  struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(listener->port)};
  const int off = 0, on = 1;
  int fd = socket(AF_INET6, type, 0);
  const bool both = fd >= 0;
  if (!both) fd = socket(AF_INET, type, 0);
  if (fd < 0) return bh_fault(fault, 0, "listener socket", NULL);
  int result = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (result == 0 && both) result = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  if (result == 0) result = both ? bind(fd, (struct sockaddr *)&six, sizeof(six)) : bind(fd, (struct sockaddr *)&four, sizeof(four));
  if (result == 0 && !listener->udp) result = listen(fd, 511);
  if (result == 0) return fd;
  bh_fault(fault, 0, "listener", NULL);
  close(fd);
  return -1;
}

int bh_listen(const struct bh_spec *spec, int *fds, struct bh_fault *fault) {
  for (size_t i = 0; i < spec->listener_count; i++) {
    fds[i] = listen_on(&spec->listeners[i], fault);
    if (fds[i] < 0) {
      while (i > 0) close(fds[--i]);
      return -1;
    }
  }
  return 0;
}
