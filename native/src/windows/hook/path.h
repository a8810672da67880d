/*
 * One spelling for one file: native names (`\??\C:\a`, `\Device\HarddiskVolume3\a`, `\??\UNC\...`) become `C:\a` or `\\server\share\a`.
 * By text alone, without asking the system; short names, junctions and links are resolved by whoever has a handle. Plain C without an
 * operating system.
 *
 * Win32: "Naming Files, Paths, and Namespaces". Below that layer nothing is stripped from a name any more; here it is, so that a name that
 * only looks different cannot mean "another file" to a rule: streams (`a.txt:s`, `dir::$INDEX_ALLOCATION`), trailing dots and spaces.
 */
#ifndef BULKHEAD_HOOK_PATH_H
#define BULKHEAD_HOOK_PATH_H

#include <stddef.h>
#include <stdint.h>

#include "../hook-policy.h"

/* Where a name of the DOS device directory (`C:`, `Volume{...}`) leads: returns the length written, or -1 when there is no such name. */
typedef long bh_device_lookup(void *context, struct bh_text16 name, uint16_t *into, size_t size);

enum { BH_PATH_NO_FILE = -1, BH_PATH_TOO_LONG = -2 };

/* Two places of `size` units each, neither of which holds the name that is asked about. */
struct bh_path_room {
  uint16_t *into, *scratch;
  size_t size;
};

/*
 * Returns the length of the canonical path in `into`; BH_PATH_NO_FILE for what is not in a file system (pipes, consoles, sockets, other
 * devices); BH_PATH_TOO_LONG. Disks and volumes as a whole are `\\.\C:`, `\\.\PhysicalDrive0`; volumes without a letter
 * `\\?\GLOBALROOT\Device\...`. The letter of a drive is upper case, everything else keeps its case.
 */
long bh_path_canonical(struct bh_text16 native, bh_device_lookup *lookup, void *context, const struct bh_path_room *room);

/* Compares without case. */
int bh_text16_starts(struct bh_text16 text, const char *ascii);

#endif
