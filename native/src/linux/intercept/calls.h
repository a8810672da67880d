/* Which answer the filter gives to which system call. */
#ifndef BULKHEAD_LINUX_INTERCEPT_CALLS_H
#define BULKHEAD_LINUX_INTERCEPT_CALLS_H

#include <stdint.h>

#include "../intercept.h"

enum bh_verdict {
  BH_VERDICT_UNKNOWN, /* ENOSYS: as if the kernel did not have it, so that programs fall back */
  BH_VERDICT_ALLOW,
  BH_VERDICT_REFUSE, /* EPERM */
  /* Decided by plain arguments: */
  BH_VERDICT_CLONE, /* no new namespace */
  BH_VERDICT_UNSHARE, /* no new namespace */
  BH_VERDICT_SOCKET, /* UNIX, INET and INET6 stream and datagram, NETLINK_ROUTE */
  BH_VERDICT_SOCKETPAIR, /* UNIX */
  BH_VERDICT_IOCTL, /* no TIOCSTI and its like */
  BH_VERDICT_PERSONALITY, /* known harmless ones */
  BH_VERDICT_MKNOD, /* no device; mode is argument 1 */
  BH_VERDICT_MKNODAT, /* no device; mode is argument 2 */
  /* Asked of the supervisor, because a rule watches it: */
  BH_VERDICT_ASK,
  BH_VERDICT_ASK_OPEN, /* when opened for writing; flags are argument 1 */
  BH_VERDICT_ASK_OPENAT, /* when opened for writing; flags are argument 2 */
  BH_VERDICT_ASK_SENDTO /* when an address is given */
};

/* Numbers at and above this are unknown to this version. The highest number of Linux 6.18 is 470 on both architectures. */
#define BH_CALL_COUNT 480

/* Fills one enum bh_verdict per number. `acts` has a bit (1 << enum bh_act) for every act that a rule watches. */
void bh_calls_fill(uint8_t verdicts[BH_CALL_COUNT], uint32_t acts);

#endif
