/*
 * The LaunchSpec of core/contracts/launch.ts as C sees it. Plain C without an operating system, so that tests run it anywhere; texts are
 * UTF-8 still.
 */
#ifndef BULKHEAD_SPEC_H
#define BULKHEAD_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hook-policy-build.h"
#include "wire.h"

enum bh_stdio { BH_STDIO_PIPES = 0, BH_STDIO_INHERIT = 1, BH_STDIO_TERMINAL = 2 };
enum bh_tier { BH_TIER_BLIND = 0, BH_TIER_WRITE_RESTRICTED = 1 };
enum bh_integrity { BH_INTEGRITY_MEDIUM = 0, BH_INTEGRITY_LOW = 1 };
enum bh_wow64 { BH_WOW64_REFUSE = 0, BH_WOW64_REPORT = 1 };

/* The kernel takes more restricting SIDs than this; a plugin needs about four. */
#define BH_RESTRICTING_MAX 32u
#define BH_LOGON_SID "logon"

struct bh_spec {
  uint8_t stdio; /* enum bh_stdio */
  uint32_t columns, rows;

  char **argv; /* NULL-terminated; the first is not empty */
  char **environment; /* NULL-terminated; `name=value`, the name not empty */
  char *directory; /* begins with a drive: `C:\...` */

  bool has_token, private_desktop, has_account;
  uint8_t tier; /* enum bh_tier */
  uint8_t integrity; /* enum bh_integrity */
  char *launch_sid;
  char **restricting; /* SIDs or BH_LOGON_SID; NULL-terminated */
  bool limits_memory, limits_cpu;
  uint64_t memory; /* bytes */
  uint64_t cpu; /* percent of all processors, 1-100 */
  char *account_name, *account_sid, *account_secret;

  bool has_filesystem;
  char *workspace_sid;

  bool has_network;
  uint32_t gateway_port;

  bool has_hook;
  uint8_t wow64; /* enum bh_wow64 */
  uint32_t ask_timeout; /* milliseconds */
  struct bh_hook_rule_text *rules; /* acts and actions are checked when the policy is built */
  size_t rule_count;

  bool limits_processes, limits_files;
  uint64_t processes, files;
};

/* Decodes a BH_LAUNCH body. Returns 0, or -1 when any byte of it is not as it must be; the spec is freed by bh_spec_free either way. */
int bh_spec_decode(struct bh_spec *spec, struct bh_reader *r);
void bh_spec_free(struct bh_spec *spec);

/* True for the canonical string form of a SID, decimal throughout: `S-1-5-21-1-2-3-4`. */
bool bh_sid_is_canonical(const char *text);

#endif
