/* Replacing functions of system libraries that never become a system call, such as NetUserAdd. */
#ifndef BD_PATCH_H
#define BD_PATCH_H

#include "state.h"

typedef struct {
  const char *module, *name;
  void *replacement;
  void **original; /* where the replaced function is put; NULL: nobody wants it */
} bd_replacement;

/**
 * From now on, whoever imports or looks up one of these functions gets the replacement: what is loaded already and what will be. Calls inside the
 * library that defines the function are not seen. The list must stay where it is.
 */
BOOL bd_patch(const bd_replacement *list, size_t count);

#endif
