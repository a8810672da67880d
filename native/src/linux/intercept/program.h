/* The seccomp program: verdicts per system call, turned into BPF. */
#ifndef BULKHEAD_LINUX_INTERCEPT_PROGRAM_H
#define BULKHEAD_LINUX_INTERCEPT_PROGRAM_H

#include <linux/filter.h>
#include <stdint.h>

#include "calls.h"

/* The kernel takes at most 4096 (BPF_MAXINSNS); with every act watched about 330 are used. */
#define BH_PROGRAM_MAX 1024

struct bh_program {
  uint16_t length;
  struct sock_filter code[BH_PROGRAM_MAX];
};

/* Returns 0, or -E2BIG (a defect: a test builds the largest program). */
int bh_program_build(struct bh_program *program, const uint8_t verdicts[BH_CALL_COUNT]);

#endif
