/* Reading and changing security descriptors of objects that the double guards. */
#ifndef BD_SECURITY_H
#define BD_SECURITY_H

#include "state.h"

/** Replaces the functions of advapi32 that work on files by name. */
BOOL bd_named_security_install(void);

#endif
