/* How a step of a launch says what went wrong: the name of the step and errno. */
#ifndef BULKHEAD_FAULT_H
#define BULKHEAD_FAULT_H

struct bh_fault {
  int code;
  char operation[192];
};

/* Records errno (or `code` when it is not 0) and the step, with the object it was about. Always returns -1. */
int bh_fault(struct bh_fault *fault, int code, const char *step, const char *object);

#endif
