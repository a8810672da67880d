/* The functions that the files of native/windows declare. Paths and names are UTF-16; results are Win32 error codes, 0 for success. */
#ifndef BULKHEAD_LIBRARY_H
#define BULKHEAD_LIBRARY_H

#include <stdint.h>

#include "export.h"

BH_EXPORT uint32_t bulkhead_abi(void);

/* process.c */
BH_EXPORT uint32_t bulkhead_guard(uint32_t pid);
BH_EXPORT uint32_t bulkhead_start_time(uint32_t pid, uint64_t *time);

#endif
