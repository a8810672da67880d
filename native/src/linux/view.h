/* The new root of a sandbox (`MountView` of core/contracts/launch.ts). */
#ifndef BULKHEAD_LINUX_VIEW_H
#define BULKHEAD_LINUX_VIEW_H

#include "../common/spec.h"
#include "failure.h"

/*
 * Builds the view in the calling process's own mount namespace and makes it the root. Nothing is ever created outside the filesystems that
 * were made here: a target that does not exist in a bound directory is an error. Symbolic links in targets are refused.
 */
int bh_view_enter(const struct bh_spec *spec, struct bh_failure *failure);

#endif
