/*
 * The whole ABI of the native module on one page. The frames and their meaning are the same on every system; where systems differ, it says so.
 *
 * Processes on Linux
 *   orchestrator (Node) ── one stream socket ──► helper (one static executable, started once, descriptor 3)
 *   helper forks one supervisor per launch; the supervisor owns the job's channel and clones the sandbox.
 *   sandbox: pid 1 (reaper, no capabilities) ── its child: the agent.
 *   Everything dies downwards: orchestrator gone → helper reads end of file and exits → supervisors are killed (PR_SET_PDEATHSIG) →
 *   pid 1 is killed (PR_SET_PDEATHSIG) → the kernel kills the pid namespace.
 *
 * Processes on Windows
 *   orchestrator (Node, bulkhead.dll) ── stdin and stdout ──► launcher (one executable per sandbox: its supervisor)
 *   launcher: owns the job object, the token, the desktop; a probe process of the same token answers attempts; then the agent.
 *   With an account of its own: launcher ── named pipes ──► runner (the same executable under that account), which is then the supervisor.
 *   Everything dies downwards: orchestrator gone → launcher reads end of file and exits, and the orchestrator's own kill-on-close job ends
 *   it if it does not → the sandbox's job object closes → the kernel ends every process in it.
 *
 * Framing, on every socket: u32 length of what follows, then u8 type, then the body. All integers are little-endian. Text is a u32 length
 * and that many bytes without NUL. A list is a u32 count and its members.
 *
 * Errors are errno numbers on Linux and Win32 error codes on Windows; signals are Linux numbers everywhere.
 *
 * Orchestrator → helper on Linux, → launcher on Windows (descriptors ride on the first byte, SCM_RIGHTS):
 *   BH_LAUNCH  body: LaunchSpec (src/<platform>/.../spec.c), fds: channel, descriptor channel, stdin, stdout, stderr
 *   BH_PROBE   body: text feature,                   fds: channel (on Windows: the launcher's own stdin and stdout; fds 3, 4, 5 are the streams)
 *   BH_SWEEP   Windows only. body: text name, text SID, text secret file of an account; ends every process of it, answered with BH_ANSWER
 *
 * Orchestrator → supervisor, on the channel:
 *   BH_ATTEMPT list of attempts · BH_START · BH_KILL · BH_SIGNAL u32 · BH_RESIZE u32 columns, u32 rows
 *   BH_VERDICT u32 question, u8 allow
 *
 * Supervisor → orchestrator, on the channel:
 *   BH_HELD u32 host pid of the sandbox's first process, text start time, u32 listeners (their descriptors lie on the descriptor channel)
 *   BH_OUTCOMES list of (i32 errno or 0, text value) · BH_EXEC_FAILED u32 errno
 *   BH_STARTED (on Windows, where BH_HELD named the probe: u32 pid of the command, text start time)
 *   BH_INTERCEPTED u32 rule, text act, text action, u32 pid, u32 lost, text program, text object
 *   BH_ASK u32 question, u32 rule, text act, u32 pid, text program, text object (the call waits for BH_VERDICT)
 *   BH_GONE u8 kind (0 exited, 1 signalled), u32 code or signal, u32 killing rule or 2^32-1
 *   BH_ERROR u32 errno, text operation (nothing was started, nothing is left)
 *   BH_ANSWER u8 ok, u32 level, text reason (to BH_PROBE); to BH_SWEEP: u8 ok, u32 error, text operation
 *
 * The order in which a launch is carried out, whatever layers contributed:
 *    1 idmapped mounts are made (root only)        2 clone with the namespaces asked for       3 uid and gid maps
 *    4 new root: mounts in list order, read-only   5 loopback, routes, listeners               6 host name, session, keyring
 *    7 descriptors, limits                         8 capabilities, no_new_privs                9 Landlock
 *   10 system-call filter                         11 held: attempts are tried                 12 exec
 *
 * On Windows:
 *    1 job object: kill on close, limits, UI limits  2 private desktop                            3 restricted token, default DACL, integrity
 *    4 own process sealed                            5 event pipe and policy of the hook          6 probe: suspended, born in the job, hook, resumed
 *    7 held: attempts are tried                      8 the probe ends                             9 agent: suspended, born in the job, handle list
 *   10 hook                                         11 resumed
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
  BH_SWEEP = 3,
  BH_ATTEMPT = 10,
  BH_START = 11,
  BH_KILL = 12,
  BH_SIGNAL = 13,
  BH_RESIZE = 14,
  BH_VERDICT = 15,
  BH_HELD = 20,
  BH_OUTCOMES = 21,
  BH_STARTED = 22,
  BH_EXEC_FAILED = 23,
  BH_INTERCEPTED = 24,
  BH_GONE = 25,
  BH_ERROR = 26,
  BH_ANSWER = 27,
  BH_ASK = 28
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
