/* The fields of status.c that are read from the process's token. Each writes its value and returns 0 or a Win32 error. */
#ifndef BULKHEAD_STATUS_TOKEN_H
#define BULKHEAD_STATUS_TOKEN_H

#include <stddef.h>
#include <stdint.h>

uint32_t bh_status_user(char *value, size_t size);
uint32_t bh_status_restricted(char *value, size_t size);
uint32_t bh_status_write_restricted(char *value, size_t size);
uint32_t bh_status_restricting(char *value, size_t size);
uint32_t bh_status_integrity(char *value, size_t size);
uint32_t bh_status_privileges(char *value, size_t size);
uint32_t bh_status_deny_only(char *value, size_t size);
uint32_t bh_status_powerful(char *value, size_t size);
uint32_t bh_status_default_dacl(char *value, size_t size);

#endif
