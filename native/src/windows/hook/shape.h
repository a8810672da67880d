/* What the code of a system call looks like. Plain C without an operating system. */
#ifndef BULKHEAD_HOOK_SHAPE_H
#define BULKHEAD_HOOK_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

/* Bytes from one stub to the next, all of which are moved together. */
#define BH_STUB_SIZE 32

/* True when the stub (BH_STUB_SIZE bytes) can be moved and stood before. */
bool bh_stub_is_sound(const uint8_t *code);

/* True when the first BH_STUB_MARK bytes of a stub are our jump: the hook is in that process. */
bool bh_stub_is_changed(const uint8_t *code);
#define BH_STUB_MARK 16

#endif
