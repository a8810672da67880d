/* The LaunchSpec of core/contracts/launch.ts as C sees it. */
#ifndef BULKHEAD_SPEC_H
#define BULKHEAD_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "intercept.h"
#include "wire.h"

#define BH_LISTENERS_MAX 128

enum bh_entry_kind { BH_BIND = 1, BH_TMPFS, BH_FILE, BH_SYMLINK, BH_DIRECTORY, BH_HIDE, BH_PROC, BH_DEV };

struct bh_entry {
  uint8_t kind;
  char *target; /* absolute, as seen inside */
  char *text;   /* bind: source; file: content; symlink: where it points */
  bool writable, optional, mapped;
  uint32_t owner_uid, owner_gid; /* bind, when mapped: the owner on disk that appears as the agent */
  uint32_t mode;
  uint64_t size;
  int mount; /* bind, when mapped: made by the supervisor before the clone; -1 otherwise */
};

enum bh_stdio { BH_STDIO_PIPES = 0, BH_STDIO_INHERIT = 1, BH_STDIO_TERMINAL = 2 };

struct bh_spec {
  uint8_t stdio;
  uint32_t columns, rows;

  char **argv; /* NULL-terminated */
  char **environment;
  char *directory;

  bool has_token, has_outside;
  uint32_t inside_uid, inside_gid, outside_uid, outside_gid;
  char *hostname;

  bool has_view, has_landlock;
  struct bh_entry *entries;
  size_t entry_count;
  char **landlock_read, **landlock_write;

  bool has_network, any_address;
  struct bh_listener {
    bool udp;
    uint16_t port;
  } *listeners;
  size_t listener_count;

  bool has_interception;
  struct bh_intercept_rule *rules;
  struct bh_interception interception;

  bool limits_processes, limits_files;
  uint64_t processes, files;
};

/* Decodes a BH_LAUNCH body. Returns 0, or -1 when any byte of it is not as it must be; the spec is freed by bh_spec_free either way. */
int bh_spec_decode(struct bh_spec *spec, struct bh_reader *r);
void bh_spec_free(struct bh_spec *spec);

#endif
