/* How system calls get to the double. */
#ifndef BD_HOOK_H
#define BD_HOOK_H

#include "state.h"

/** Finds the calls' numbers, makes a way past the double for each (bd_real), and stands in front of the system. */
BOOL bd_hook_prepare(void);
void bd_hook_install(void);

#endif
