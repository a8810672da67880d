/*
 * Interception: the system-call filter of a sandbox and the supervisor that answers the policy's rules.
 *
 * The filter decides by number and by plain (non-pointer) arguments, in the kernel, without a race: that part is a wall. The rules look
 * at pointer arguments (paths, addresses) from another process, and the agent can change those after they were read
 * (seccomp_unotify(2), SECCOMP_USER_NOTIF_FLAG_CONTINUE): that part reports, shapes and stops, and no security claim rests on it.
 *
 * Order of use:
 *   child       bh_intercept_install() as the very last restriction, then hands the listener to the supervisor (SCM_RIGHTS; sendmsg(2)
 *               is never intercepted) and closes its own copy.
 *   supervisor  bh_supervisor_open(), bh_supervisor_hold(true) while the child attacks its walls (`Sandbox.attempt`; a rule must not
 *               answer in the place of the wall that is under test), bh_supervisor_hold(false) before it is told to exec;
 *               bh_intercept_serve() whenever the listener polls readable, also while held. The child's execve, unlink, connect ... wait
 *               for an answer, so never wait for the child without serving the listener as well.
 *
 * A call that waits for its answer can end with EINTR when a signal handler without SA_RESTART runs before the supervisor has read it,
 * also a call that otherwise never does (seccomp_unotify(2), "Interaction with SA_RESTART signal handlers").
 */
#ifndef BULKHEAD_LINUX_INTERCEPT_H
#define BULKHEAD_LINUX_INTERCEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What a rule can watch. The names are those of the policy (`core/contracts/policy.ts`). */
enum bh_act {
  BH_ACT_FILE_WRITE,
  BH_ACT_FILE_DELETE,
  BH_ACT_FILE_RENAME,
  BH_ACT_FILE_CHMOD,
  BH_ACT_PROCESS_EXEC,
  BH_ACT_NET_CONNECT,
  BH_ACT_NET_BIND,
  BH_ACT_COUNT
};

enum bh_action { BH_ACTION_ALLOW, BH_ACTION_DENY, BH_ACTION_KILL, BH_ACTION_COUNT };

/* -1 for a name that is not supported here. */
int bh_act_from_name(const char *name);
int bh_action_from_name(const char *name);
/* NULL for a value out of range. */
const char *bh_act_name(unsigned act);
const char *bh_action_name(unsigned action);

/* Longest `match`, including the final NUL. */
#define BH_MATCH_MAX 4096

struct bh_intercept_rule {
  uint32_t id; /* reported with each event; several rules may share one */
  uint8_t act; /* enum bh_act */
  uint8_t action; /* enum bh_action */
  /* Glob on the act's object, see bh_glob_match(). Paths are absolute as the agent sees them; `net.*`: `address:port`, `[v6]:port`, the
   * path of a unix socket, or `@name` for an abstract one. */
  const char *match;
};

struct bh_interception {
  const struct bh_intercept_rule *rules; /* first match wins */
  size_t count;
};

/*
 * True when `text` matches `pattern` as a whole. `*` matches within a path component, `**` across components, a `**` that fills a
 * component between slashes also matches no component at all, `\` takes the next byte literally, everything else is literal.
 */
bool bh_glob_match(const char *pattern, const char *text);

/*
 * The filter that goes with the token, also where nothing is intercepted: nothing that the agent leaves behind runs as somebody else (see
 * bh_calls_fill_traces()). Needs no_new_privs. Returns 0, or -errno with *operation naming the step.
 */
int bh_traces_install(const char **operation);

/*
 * Sets no_new_privs (prctl(2)) and installs the filter on the calling thread, which must be the only one. It cannot be undone.
 * Returns 0, or -errno with *operation naming the step. *listener is the descriptor for the supervisor (close-on-exec), or -1 when
 * there is no rule; the filter is installed in either case. -EINVAL for a rule that is not well formed (nothing is installed then).
 */
int bh_intercept_install(const struct bh_interception *interception, int *listener, const char **operation);

/* Bytes of an object in an event, including the final NUL; longer objects are cut. */
#define BH_OBJECT_MAX 4096

struct bh_intercept_event {
  uint32_t rule;
  uint8_t act;
  uint8_t action;
  pid_t pid; /* as seen inside the sandbox; 0 when it could not be read */
  char program[16]; /* comm, as the agent chose it */
  char object[BH_OBJECT_MAX]; /* bytes of the agent: not necessarily UTF-8 */
  uint32_t lost; /* events dropped since the previous one (rate limit) */
};

/* Must not block: the agent waits meanwhile. The event is valid during the call only. */
typedef void bh_intercept_emit(void *context, const struct bh_intercept_event *event);

/* Private to the implementation; one per sandbox. */
struct bh_supervisor {
  const struct bh_interception *interception; /* not copied: must outlive the supervisor */
  int listener;
  int root; /* O_PATH of the sandbox's root, opened with the first notification; -1 before */
  bool held; /* rules are silent; `intercept:` attempts are answered */
  uint32_t lost;
  double tokens; /* of the event rate limit */
  uint64_t refilled; /* CLOCK_MONOTONIC, nanoseconds */
  struct bh_intercept_event event;
};

/* Takes ownership of `listener`. Returns 0 or -errno. Switches on SYNC_WAKE_UP where the kernel has it (6.6; 20 times faster answers). */
int bh_supervisor_open(struct bh_supervisor *supervisor, const struct bh_interception *interception, int listener);
/* While held every call is let through without an event; only the `intercept:` attempts are answered as always. Not held by default. */
void bh_supervisor_hold(struct bh_supervisor *supervisor, bool held);
void bh_supervisor_close(struct bh_supervisor *supervisor);

enum bh_served {
  BH_SERVED, /* answered one notification, or there was none (any more) */
  BH_SERVED_KILL, /* a `kill` rule matched: *rule is its id; the caller ends the whole sandbox at once. The act waits unanswered. */
  BH_SERVED_GONE /* no process with this filter is left, or the listener failed: close it */
};

/*
 * Answers at most one notification. Never blocks, whatever the agent does; costs at most a few reads of the agent's memory. Events of
 * `allow` and `deny` rules are limited to 256 at once and 100 per second; a `kill` is always reported.
 */
enum bh_served bh_intercept_serve(struct bh_supervisor *supervisor, bh_intercept_emit *emit, void *context, uint32_t *rule);

/*
 * Tries a system call that must be closed, with arguments that make it harmless where it is open. Names: bh_attempt_names.
 * Returns 0 when the call succeeded, its errno when it failed, -1 for an unknown name.
 *
 * `intercept:<act>` acts on an object that does not exist and that the supervisor always answers with EACCES (without an event): the
 * proof that notifications of this act reach the supervisor and that it can read the agent's memory.
 */
int bh_attempt_syscall(const char *name);
extern const char *const bh_attempt_names[]; /* NULL-terminated; without the `intercept:` ones */

#endif
