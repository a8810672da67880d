#include "fault.h"

#include <errno.h>
#include <stdio.h>

int bh_fault(struct bh_fault *fault, int code, const char *step, const char *object) {
  fault->code = code != 0 ? code : errno;
  if (object) {
    snprintf(fault->operation, sizeof(fault->operation), "%s %s", step, object);
  } else {
    snprintf(fault->operation, sizeof(fault->operation), "%s", step);
  }
  return -1;
}
