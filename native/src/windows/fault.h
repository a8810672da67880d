/* How a step says what went wrong: the name of the step and a Win32 error code. */
#ifndef BULKHEAD_FAULT_H
#define BULKHEAD_FAULT_H

#include <stdint.h>

struct bh_fault {
  uint32_t code;
  char operation[192];
};

/* Records GetLastError() (or `code` when it is not 0) and the step, with the object it was about (UTF-8). Always returns -1. */
int bh_fault(struct bh_fault *fault, uint32_t code, const char *step, const char *object);

#endif
