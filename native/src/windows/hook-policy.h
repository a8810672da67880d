/*
 * The policy of the hook DLL, as the launcher builds it and every process of the tree reads it.
 *
 * Plain C without an operating system, so that tests and fuzzers run it anywhere. Text is UTF-16, as the system's own names are; lengths
 * count 16-bit units.
 */
#ifndef BULKHEAD_HOOK_POLICY_H
#define BULKHEAD_HOOK_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a rule can watch: the names and the order of `interceptedActs` in core/contracts/policy.ts. */
enum bh_hook_act {
  BH_HOOK_FILE_WRITE,
  BH_HOOK_FILE_DELETE,
  BH_HOOK_FILE_RENAME,
  BH_HOOK_FILE_CHMOD,
  BH_HOOK_PROCESS_EXEC,
  BH_HOOK_PROCESS_SIGNAL,
  BH_HOOK_PROCESS_INSPECT,
  BH_HOOK_NET_CONNECT,
  BH_HOOK_NET_BIND,
  BH_HOOK_REGISTRY_WRITE,
  BH_HOOK_REGISTRY_DELETE,
  BH_HOOK_SERVICE_CONTROL,
  BH_HOOK_SYSTEM_CHANGE,
  BH_HOOK_ACTS
};

enum bh_hook_action {
  BH_HOOK_ALLOW,
  BH_HOOK_DENY,
  BH_HOOK_EMULATE,
  BH_HOOK_REDIRECT,
  BH_HOOK_ASK,
  BH_HOOK_KILL,
  BH_HOOK_ACTIONS
};

/* -1 for a name that does not exist; NULL for a number out of range. */
int bh_hook_act_from_name(const char *name);
int bh_hook_action_from_name(const char *name);
const char *bh_hook_act_name(unsigned act);
const char *bh_hook_action_name(unsigned action);

/* The rule of an event that no rule of the policy asked for: a 32-bit child, a child that could not be entered. */
#define BH_HOOK_NO_RULE 0xffffffffu

/*
 * Exit codes of a process that the hook ends itself. The first is what a `kill` rule leaves where the supervisor was too slow to end the
 * job; the others mean that the process could not be watched and therefore must not run.
 */
#define BH_HOOK_EXIT_KILLED 0xC0DE0000u
#define BH_HOOK_EXIT_POLICY 0xC0DE0001u /* the policy could not be read */
#define BH_HOOK_EXIT_STUB 0xC0DE0002u /* a system call does not look as it must */
#define BH_HOOK_EXIT_PIPE 0xC0DE0003u /* the supervisor could not be reached */
#define BH_HOOK_EXIT_MEMORY 0xC0DE0004u
#define BH_HOOK_EXIT_INJECT 0xC0DE0005u /* what the injector leaves of a child that could not be entered */

/* Longest text of a policy, in units: the longest path of the system, less a prefix. */
#define BH_HOOK_TEXT_MAX 32700u
#define BH_HOOK_RULES_MAX 4096u
#define BH_HOOK_POLICY_MAX (8u << 20)

/* Not NUL-terminated. */
struct bh_text16 {
  const uint16_t *units;
  uint32_t length;
};

struct bh_hook_rule {
  uint32_t id;
  uint8_t act; /* enum bh_hook_act */
  uint8_t action; /* enum bh_hook_action */
  struct bh_text16 match; /* glob, upper case, `\` between components */
  struct bh_text16 target; /* of `redirect`; empty otherwise */
};

struct bh_hook_policy {
  bool held; /* rules sleep; only the proofs of `bh_hook_attempt` are answered */
  bool report_wow64; /* a 32-bit child runs unwatched and is reported; otherwise it is refused */
  uint32_t ask_timeout; /* milliseconds */
  uint32_t supervisor; /* process that serves the pipe */
  struct bh_text16 pipe; /* `\\.\pipe\...` */
  struct bh_text16 dll; /* absolute path */
  uint64_t digest; /* of the whole blob: names this very policy */
  uint32_t acts; /* bit for each act that some rule watches */
  uint32_t count;
  const struct bh_hook_rule *rules;
};

/*
 * Reads a policy out of `bytes`, which must stay and be aligned to 4; texts point into it. `rules` has room for `most` rules. Returns 0, or
 * -1 for anything that is not exactly a policy of this version: wrong magic, version, length, checksum, names, order of bytes.
 */
int bh_hook_policy_read(const uint8_t *bytes, size_t length, struct bh_hook_rule *rules, size_t most, struct bh_hook_policy *policy);

/* FNV-1a, 64 bits. Finds damage, not malice: whoever could change the policy could change its sum too. */
uint64_t bh_hook_digest(const uint8_t *bytes, size_t length);

/* Head of a policy: u32 magic, u32 version, u32 length of everything, u32 zero, u64 digest of what follows. All little-endian. */
#define BH_HOOK_POLICY_MAGIC 0x314b4842u
#define BH_HOOK_POLICY_VERSION 1u
#define BH_HOOK_POLICY_HEAD 24u

#endif
