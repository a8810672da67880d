/*
 * The whole ABI of the native module on one page.
 *
 * Processes
 *   orchestrator (Node) ── one stream socket ──► helper (one static executable, started once, descriptor 3)
 *   helper forks one supervisor per launch; the supervisor owns the job's channel and clones the sandbox.
 *   sandbox: pid 1 (reaper, no capabilities) ── its child: the agent.
 *   Everything dies downwards: orchestrator gone → helper reads end of file and exits → supervisors are killed (PR_SET_PDEATHSIG) →
 *   pid 1 is killed (PR_SET_PDEATHSIG) → the kernel kills the pid namespace.
 *
 * Framing, on every socket: u32 length of what follows, then u8 type, then the body. All integers are little-endian. Text is a u32 length
 * and that many bytes without NUL. A list is a u32 count and its members.
 *
 * Orchestrator → helper (descriptors ride on the first byte, SCM_RIGHTS):
 *   BH_LAUNCH  body: LaunchSpec (src/linux/spec.c), fds: channel, descriptor channel, stdin, stdout, stderr
 *   BH_PROBE   body: text feature,                   fds: channel
 *
 * Orchestrator → supervisor, on the channel:
 *   BH_ATTEMPT list of attempts · BH_START · BH_KILL · BH_SIGNAL u32 · BH_RESIZE u32 columns, u32 rows
 *
 * Supervisor → orchestrator, on the channel:
 *   BH_HELD u32 host pid of the sandbox's first process, text start time, u32 listeners (their descriptors lie on the descriptor channel)
 *   BH_OUTCOMES list of (i32 errno or 0, text value) · BH_STARTED · BH_EXEC_FAILED u32 errno
 *   BH_INTERCEPTED u32 rule, text act, text action, u32 pid, u32 lost, text program, text object
 *   BH_GONE u8 kind (0 exited, 1 signalled), u32 code or signal, u32 killing rule or 2^32-1
 *   BH_ERROR u32 errno, text operation (nothing was started, nothing is left)
 *   BH_ANSWER u8 ok, u32 level, text reason (to BH_PROBE)
 *
 * The order in which a launch is carried out, whatever layers contributed:
 *    1 idmapped mounts are made (root only)        2 clone with the namespaces asked for       3 uid and gid maps
 *    4 new root: mounts in list order, read-only   5 loopback, routes, listeners               6 host name, session, keyring
 *    7 descriptors, limits                         8 capabilities, no_new_privs                9 Landlock
 *   10 system-call filter                         11 held: attempts are tried                 12 exec
 */
#ifndef BULKHEAD_H
#define BULKHEAD_H

#include <stdint.h>

#define BH_ABI_VERSION 1u

/* A frame that is longer is refused; the command line and environment of a process are bounded by the kernel to about 2 MiB. */
#define BH_FRAME_MAX (4u << 20)

enum bh_message {
  BH_LAUNCH = 1,
  BH_PROBE = 2,
  BH_ATTEMPT = 10,
  BH_START = 11,
  BH_KILL = 12,
  BH_SIGNAL = 13,
  BH_RESIZE = 14,
  BH_HELD = 20,
  BH_OUTCOMES = 21,
  BH_STARTED = 22,
  BH_EXEC_FAILED = 23,
  BH_INTERCEPTED = 24,
  BH_GONE = 25,
  BH_ERROR = 26,
  BH_ANSWER = 27
};

enum bh_attempt_op {
  BH_TRY_READ = 1,
  BH_TRY_WRITE = 2,
  BH_TRY_CREATE = 3,
  BH_TRY_CONNECT = 4,
  BH_TRY_SYSCALL = 5,
  BH_TRY_SIGNAL = 6,
  BH_TRY_STATUS = 7
};

#endif
