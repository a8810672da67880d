/* Files: which one a name means, which security descriptor it has, and whether the caller may. */
#ifndef BD_FILE_H
#define BD_FILE_H

#include "state.h"

enum bd_place { BD_PLACE_OTHER, BD_PLACE_FILE, BD_PLACE_PIPE, BD_PLACE_DISK };

/** What an NT name means. `path` is C:\… or Z:\… without a trailing separator, or the name of a pipe. */
typedef struct {
  enum bd_place place;
  BOOL exists, directory;
  BOOL stream; /* a stream beside the file's data; `path` is the file, `exists` says whether the stream is there */
  WCHAR path[BD_PATH];
} bd_target;

/** At most `most` characters. As the kernel compares names: the C library's own comparison depends on the locale that a program chose. */
BOOL bd_same_name(const WCHAR *one, const WCHAR *other, size_t most);

/* path.c */
BOOL bd_path_exists(const WCHAR *path);
/** STATUS_SUCCESS with BD_PLACE_OTHER: not a file. An error: the name leads nowhere, and the system will say so too, except for STATUS_NAME_TOO_LONG, which the double says. */
NTSTATUS bd_resolve(const OBJECT_ATTRIBUTES *attributes, bd_target *target);
NTSTATUS bd_resolve_handle(HANDLE file, bd_target *target);
/** The full NT name behind a handle. */
NTSTATUS bd_handle_name(HANDLE handle, WCHAR *name, size_t room);
BOOL bd_parent_of(const WCHAR *path, WCHAR parent[BD_PATH]);
/** C:\\… for what lies in Wine's drive_c, without trailing separators. */
void bd_fold(WCHAR *path);
BOOL bd_prefix_find(WCHAR prefix[BD_PATH]);

/* file-sd.c: all of them take the lock themselves */
BOOL bd_file_descriptor(const WCHAR *path, BOOL directory, bd_sd *sd);
BOOL bd_file_own(const WCHAR *path, bd_sd *sd, DWORD *flags);
NTSTATUS bd_file_store(const WCHAR *path, const bd_sd *sd, DWORD flags);
/** Forgets a path and everything below it. */
void bd_file_forget(const WCHAR *path);
void bd_file_forget_one(const WCHAR *path);
/** Everything stored at and below `from` is stored at and below `to` afterwards. */
NTSTATUS bd_file_move(const WCHAR *from, const WCHAR *to);
/** Whether something is stored for a path below this one. */
BOOL bd_same_descriptor(const bd_sd *one, const bd_sd *other);

/* file-check.c */
NTSTATUS bd_check_existing(const bd_target *target, ACCESS_MASK desired, BOOL for_backup, ACCESS_MASK *granted);
/** May the caller add this name to its directory? */
NTSTATUS bd_check_add(const WCHAR *path, BOOL directory);
/** Records what a new object has that it did not inherit: an explicit descriptor, another owner, a low label. */
NTSTATUS bd_record_created(const WCHAR *path, BOOL directory, const void *descriptor);
/** The rights of a handle as the system has them. */
ACCESS_MASK bd_handle_rights(HANDLE handle);

/* pipe.c */
NTSTATUS bd_pipe_open(const WCHAR *name, ACCESS_MASK desired);
NTSTATUS bd_pipe_created(const WCHAR *name, const void *descriptor);

#endif
