/*
 * Carrying a launch out under another account.
 *
 * A process cannot give a child the token of another user without a privilege that only services have; CreateProcessWithLogonW needs none,
 * but takes no restricted token. So the launcher starts itself again under the account, and that one, the runner, is the supervisor: it
 * restricts its own token. One runner for each sandbox, not for each command: a logon costs a session in LSA.
 *
 *   stage 1 (the user)                                                   runner (the account)
 *   stdin, stdout  ◄── frames ──►  two named pipes of one direction ──►  input, output
 *   fds 3, 4, 5    ◄── bytes  ──►  three more                       ──►  streams
 *
 * Stage 1 passes bytes on and looks at none of them after the first frame. The runner is born suspended, is put into a kill-on-close job of
 * stage 1 and only then resumed; each pipe must have been opened by exactly that process.
 *
 * How `wmain` uses it:
 *   - with arguments, it is a runner: bh_runner_open() gives the ends, and everything goes on as in a launcher that was started without;
 *   - without, and with an account in the specification: bh_runner_start() with the frame as it was received, and its result is the exit code.
 */
#ifndef BULKHEAD_RUNNER_H
#define BULKHEAD_RUNNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <windows.h>

#include "fault.h"

/* Where the frames of one supervisor come from and go to, and the streams of its agent. Synchronous handles. */
struct bh_ends {
  HANDLE input, output;
  HANDLE streams[3];
};

/* As in the launch specification. UTF-8. */
struct bh_account {
  const char *name, *sid, *secret_file;
};

/*
 * Stage 1. `frame`: payload of the first frame (type byte first). Returns when the runner is gone, with everything it had sent passed on;
 * when it cannot be started, says so with BH_ERROR and BH_GONE. Closes the ends. `terminal`: the agent's terminal is joined to the user's
 * console here, since the runner has only pipes. The result is the exit code of the process.
 */
int bh_runner_start(const struct bh_account *account, const uint8_t *frame, size_t length, const struct bh_ends *ends, bool terminal);

/*
 * Starts this executable under the account for one thing only: to end every process of it and delete what they left in its profile. Returns
 * 0 or a Win32 error, with the step in *fault.
 */
uint32_t bh_runner_sweep_as(const struct bh_account *account, struct bh_fault *fault);

/*
 * The runner's side, for `bulkhead-launcher.exe runner <sid> <nonce> <pid of stage 1>`; for `bulkhead-launcher.exe sweeper <sid>` it does not
 * return. Opens the pipes and checks whose they are. Before it returns, every other process of this account has been ended and what they
 * left in the profile is deleted: nothing passes from one agent to the next. <sid> is the account's as the specification has it: filters and
 * access lists name it so, and an account that was made anew has another one under the same name. Returns 0 or a Win32 error.
 */
uint32_t bh_runner_open(int count, wchar_t **arguments, struct bh_ends *ends);

/*
 * The runner, after its agent's last process is gone and before BH_GONE is sent: ends what runs under this account besides, so that nothing
 * outlives the walls that are taken down next.
 */
void bh_runner_sweep(void);

/* True in a process that bh_runner_open() made a runner. */
bool bh_runner_is(void);

#endif
