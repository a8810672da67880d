/* Who the sandbox is: id maps, idmapped mounts, capabilities. */
#ifndef BULKHEAD_IDENTITY_H
#define BULKHEAD_IDENTITY_H

#include <stdint.h>
#include <sys/types.h>

#include "fault.h"
#include "spec.h"

/*
 * Writes the maps of a fresh user namespace from its parent and forbids setgroups(2) there (user_namespaces(7)). Unless the caller is root the
 * child must be dumpable: the files belong to root otherwise (proc(5)).
 */
int bh_map_ids(pid_t child, uint32_t inside_uid, uint32_t outside_uid, uint32_t inside_gid, uint32_t outside_gid, struct bh_fault *fault);

/* The map of one owner on disk to the agent's identity, kept while further mounts of the same owner follow. */
struct bh_mapping {
  uint32_t uid, gid; /* owner on disk */
  int descriptor;    /* -1: none yet */
};
void bh_mapping_close(struct bh_mapping *mapping);

/* Clones the mount at entry->text and maps its owner on disk to the identity (mount_setattr(2), MOUNT_ATTR_IDMAP). Needs host root. Sets entry->mount. */
int bh_mapped_mount(struct bh_entry *entry, struct bh_mapping *mapping, uint32_t uid, uint32_t gid, struct bh_fault *fault);

/* Takes on the inside identity while keeping the capabilities of the user namespace, which building the view needs. */
int bh_become(uint32_t uid, uint32_t gid, struct bh_fault *fault);

/* Of the supervisor's own capabilities, what it needs to read and end its sandbox; nothing where it is not root. */
int bh_keep_few_capabilities(struct bh_fault *fault);

/* Gives up every capability for good: bounding and ambient set, securebits, effective, permitted and inheritable set; sets no_new_privs. */
int bh_drop_capabilities(struct bh_fault *fault);

#endif
