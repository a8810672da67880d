/* Where writes go that are only pretended. */
#ifndef BULKHEAD_HOOK_SCRATCH_H
#define BULKHEAD_HOOK_SCRATCH_H

#include <stdbool.h>

#include "nt.h"

/* A call to open a file, with a description of the name that is our own copy. */
struct bh_open {
  HANDLE *file;
  ACCESS_MASK access;
  OBJECT_ATTRIBUTES *attributes;
  IO_STATUS_BLOCK *io;
  LARGE_INTEGER *size;
  ULONG file_attributes, share, disposition, options;
  void *ea;
  ULONG ea_length;
};

/*
 * Opens a private file (or directory, when that is asked for) in the program's own temporary directory that disappears with its last
 * handle. `missing`: what the caller named does not exist, which decides about success and about what IO_STATUS_BLOCK says was done.
 */
NTSTATUS bh_scratch_open(const struct bh_open *open, bool missing);

#endif
