/* Reading and changing security descriptors of objects that the double guards. */
#ifndef BD_SECURITY_H
#define BD_SECURITY_H

#include "state.h"

BOOL bd_propagate_prepare(void);
/** Between these two, the calling thread changes descriptors the way SetNamedSecurityInfo does: what is below takes part. */
void bd_propagate_begin(void);
void bd_propagate_end(void);

/** Replaces the functions of advapi32 that work on files by name. */
BOOL bd_named_security_install(void);

#endif
