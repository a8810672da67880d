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
  BH_VERDICT_ASK_SENDTO, /* when an address is given */
  /* Of the filter that goes with the token, decided by plain arguments: */
  BH_VERDICT_SET_ID_1, /* no set-id bit; mode is argument 1 */
  BH_VERDICT_SET_ID_2, /* the same; mode is argument 2 */
  BH_VERDICT_SET_ID_OPEN, /* none when a file is made; flags are argument 1, mode is argument 2 */
  BH_VERDICT_SET_ID_OPENAT, /* the same, one argument later */
  BH_VERDICT_SETRLIMIT, /* the limit of core files stays, whatever is said */
  BH_VERDICT_PRLIMIT /* the same */
};

/* Numbers at and above this are unknown to this version. The highest number of Linux 6.18 is 470 on both architectures. */
#define BH_CALL_COUNT 480

/* Fills one enum bh_verdict per number. `acts` has a bit (1 << enum bh_act) for every act that a rule watches. */
void bh_calls_fill(uint8_t verdicts[BH_CALL_COUNT], uint32_t acts);

/*
 * What a filter of its own decides, because it belongs to the token and holds without any interception: nothing that the agent leaves behind
 * runs as somebody else. Set-id bits are refused, by every way to make a file; openat2 does not exist, because its mode is in memory.
 *
 * And the limit of core files stays at 1 byte: a handler to which /proc/sys/kernel/core_pattern pipes (systemd-coredump, apport) runs as
 * root of the host, takes in memory that the agent chose, and heeds no limit but this one (do_coredump in fs/coredump.c). Programs that
 * set it, as gpg does, are told that it worked.
 */
void bh_calls_fill_traces(uint8_t verdicts[BH_CALL_COUNT]);

#endif
