#include "fault.h"

#include <stdio.h>
#include <windows.h>

int bh_fault(struct bh_fault *fault, uint32_t code, const char *step, const char *object) {
  const DWORD last = GetLastError();
  fault->code = code != 0 ? code : last != 0 ? last : ERROR_GEN_FAILURE;
  if (object) {
    snprintf(fault->operation, sizeof(fault->operation), "%s %s", step, object);
  } else {
    snprintf(fault->operation, sizeof(fault->operation), "%s", step);
  }
  return -1;
}
