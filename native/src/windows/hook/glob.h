/* Matching names. Plain C without an operating system. */
#ifndef BULKHEAD_HOOK_GLOB_H
#define BULKHEAD_HOOK_GLOB_H

#include <stdbool.h>

#include "../hook-policy.h"

/*
 * True when `text` matches `pattern` as a whole; both folded, with `\` between components. `*` matches within a component, `**` across
 * components, a `**` that fills a component between separators also matches no component at all; everything else is literal, there is no
 * escape. The same language as on Linux (native/src/linux/intercept/glob.c), but for the escape, which is a separator here.
 */
bool bh_glob16(struct bh_text16 pattern, struct bh_text16 text);

#endif
