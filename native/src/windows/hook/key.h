/*
 * Registry keys under the names people use: `\REGISTRY\MACHINE\SOFTWARE\X` is `HKLM\SOFTWARE\X`, the user's own hive `HKCU\...`, other
 * users' `HKU\...`, an application's private hive `HKA\...`. `ControlSet001` and its like are `CurrentControlSet`: a rule that protects one
 * of them protects all. Plain C without an operating system.
 */
#ifndef BULKHEAD_HOOK_KEY_H
#define BULKHEAD_HOOK_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "../hook-policy.h"

/* `user`: native name of the user's own hive, `\REGISTRY\USER\S-1-5-...`. Returns the length, -1 for no key's name, -2 when it is too long. */
long bh_key_canonical(struct bh_text16 native, struct bh_text16 user, uint16_t *into, size_t size);

#endif
