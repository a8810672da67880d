#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../intercept.h"
#include "numbers.h"
#include "program.h"

/* Linux 5.19: once the supervisor has read a notification only a fatal signal interrupts the call (Go preempts with SIGURG). */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

static bool well_formed(const struct bh_intercept_rule *rule) {
  if (rule->act >= BH_ACT_COUNT || rule->action >= BH_ACTION_COUNT || rule->match == NULL) return false;
  const size_t length = strnlen(rule->match, BH_MATCH_MAX);
  return length > 0 && length < BH_MATCH_MAX;
}

static int seccomp_filter(unsigned long flags, const struct sock_fprog *program) {
  const long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program);
  return result < 0 ? -errno : (int)result;
}

int bh_traces_install(const char **operation) {
  *operation = "seccomp filter of the token";
  uint8_t verdicts[BH_CALL_COUNT];
  struct bh_program program;
  bh_calls_fill_traces(verdicts);
  const int built = bh_program_build(&program, verdicts);
  if (built < 0) return built;
  const struct sock_fprog filter = {.len = program.length, .filter = program.code};
  return seccomp_filter(0, &filter);
}

int bh_intercept_install(const struct bh_interception *interception, int *listener, const char **operation) {
  *listener = -1;
  *operation = "interception rules";
  uint32_t acts = 0;
  for (size_t i = 0; i < interception->count; i++) {
    if (!well_formed(&interception->rules[i])) return -EINVAL;
    acts |= 1U << interception->rules[i].act;
  }

  *operation = "seccomp program";
  uint8_t verdicts[BH_CALL_COUNT];
  struct bh_program program;
  bh_calls_fill(verdicts, acts);
  const int built = bh_program_build(&program, verdicts);
  if (built < 0) return built;

  *operation = "no_new_privs";
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return -errno;

  const struct sock_fprog filter = {.len = program.length, .filter = program.code};
  if (acts == 0) {
    *operation = "seccomp filter";
    return seccomp_filter(0, &filter);
  }

  /* A change of identity made the process undumpable, and then a supervisor that is not root may not read the arguments of its execve.
   * Nothing else runs in the sandbox yet, and on the host the same user could read the supervisor as well. */
  *operation = "dumpable";
  if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0) return -errno;

  *operation = "seccomp listener";
  int fd = seccomp_filter(SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &filter);
  if (fd == -EINVAL) fd = seccomp_filter(SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);
  if (fd < 0) return fd;
  *listener = fd;
  return 0;
}
