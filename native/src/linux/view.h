/* The new root of a sandbox (mount_namespaces(7), the mount calls of Linux 5.12). */
#ifndef BULKHEAD_VIEW_H
#define BULKHEAD_VIEW_H

#include "fault.h"
#include "spec.h"

/* Builds the view in the calling process's own mount namespace and makes it the root. Nothing of the old root stays reachable. */
int bh_view_enter(const struct bh_spec *spec, struct bh_fault *fault);

#endif
