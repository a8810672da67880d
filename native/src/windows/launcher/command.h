/* From an argument list to what CreateProcess wants: an absolute file and one command line. */
#ifndef BULKHEAD_COMMAND_H
#define BULKHEAD_COMMAND_H

#include <stdint.h>
#include <wchar.h>

struct bh_command {
  wchar_t *file; /* absolute; never searched for again */
  wchar_t *line;
};

/*
 * Looks argv[0] up as the agent would: with a separator it is a path, relative to `directory`; otherwise it is on the PATH of `environment`
 * (a block), absolute directories with a drive only, never the current one, with the endings .com .exe .bat .cmd. Returns 0, or a Win32
 * error: ERROR_FILE_NOT_FOUND, ERROR_BAD_PATHNAME (another machine, a device), ERROR_BAD_ARGUMENTS (a batch file would read an argument as
 * more than text).
 */
uint32_t bh_command_find(char *const *argv, const wchar_t *directory, const wchar_t *environment, struct bh_command *command);
void bh_command_free(struct bh_command *command);

#endif
