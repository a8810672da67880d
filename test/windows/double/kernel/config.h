/* The first process of a run sets up what every Windows installation has: descriptors of the usual directories. */
#ifndef BD_CONFIG_H
#define BD_CONFIG_H

#include "state.h"

/** Reads double.conf beside the DLL, if there is one. FALSE with `line` set: that line is not understood. */
BOOL bd_configure(int *line);

#endif
