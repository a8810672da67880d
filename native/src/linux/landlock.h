/* Landlock (landlock(7), Documentation/userspace-api/landlock.rst): a second, path-based wall in the filesystem, and scopes. */
#ifndef BULKHEAD_LANDLOCK_H
#define BULKHEAD_LANDLOCK_H

#include "fault.h"
#include "spec.h"

/* Version of the kernel's Landlock; 0 when there is none. */
int bh_landlock_abi(void);
/* Restricts the calling thread and its descendants for good. Needs no_new_privs. Fails when the kernel has no Landlock. */
int bh_landlock_restrict(const struct bh_spec *spec, struct bh_fault *fault);

#endif
