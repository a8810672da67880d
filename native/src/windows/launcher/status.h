/* Facts of the process itself. A closed list: see status.c. */
#ifndef BULKHEAD_STATUS_H
#define BULKHEAD_STATUS_H

#include <stddef.h>
#include <stdint.h>

/* What the field `bystander` says. */
extern unsigned long bh_status_bystander;

/* Writes the value of a field. Returns 0 or a Win32 error; ERROR_FILE_NOT_FOUND for a field that does not exist. */
uint32_t bh_status(const char *field, char *value, size_t size);

#endif
