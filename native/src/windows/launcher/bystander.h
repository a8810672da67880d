/*
 * A process of the user that has nothing to do with the sandbox, for the attacks to be tried on: that others are closed to an agent is shown on
 * one that is as open as the user's processes usually are. It never runs.
 */
#ifndef BULKHEAD_BYSTANDER_H
#define BULKHEAD_BYSTANDER_H

#include <windows.h>

#include "fault.h"

struct bh_bystander {
  HANDLE job;
  DWORD pid; /* 0: none */
};

/* To be called before this process is sealed, whose access lists it would get otherwise. Returns 0 or -1. */
int bh_bystander_start(struct bh_bystander *bystander, struct bh_fault *fault);

/* Ends it. */
void bh_bystander_end(struct bh_bystander *bystander);

#endif
