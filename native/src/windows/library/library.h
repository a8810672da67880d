/* The functions that the files of native/windows declare. Paths and names are UTF-16; results are Win32 error codes, 0 for success. */
#ifndef BULKHEAD_LIBRARY_H
#define BULKHEAD_LIBRARY_H

#include <stdint.h>
#include <wchar.h>

#include "export.h"

struct bh_object;
struct bh_label;

BH_EXPORT uint32_t bulkhead_abi(void);

/* process.c */
BH_EXPORT uint32_t bulkhead_guard(uint32_t pid);
BH_EXPORT uint32_t bulkhead_seal(void);
BH_EXPORT uint32_t bulkhead_start_time(uint32_t pid, uint64_t *time);

/* console.c. `state`: four numbers, modes and code pages of input and output. Fails where standard input or output is no console. */
BH_EXPORT uint32_t bulkhead_console_save(uint32_t *state);
BH_EXPORT void bulkhead_console_restore(const uint32_t *state);
/* The user that this process runs as, in string form; `room` characters with the final 0. */
BH_EXPORT uint32_t bulkhead_user(wchar_t *sid, uint32_t room);

/*
 * wfp.c. *step names what failed; it points to constant text. Wait up to ten seconds for other writers: not for the thread of an event loop.
 *
 * Closes the network to the account (SID in string form) but for TCP to 127.0.0.1:port. *wall holds it closed until it is closed itself or
 * this process ends.
 */
BH_EXPORT uint32_t bulkhead_wfp_open(const wchar_t *account, uint16_t port, void **wall, const char **step);
/* On success the wall is gone and `wall` must not be used again. */
BH_EXPORT uint32_t bulkhead_wfp_close(void *wall, const char **step);
/* Whether this process could do all of that: does it for nobody, and undoes it. */
BH_EXPORT uint32_t bulkhead_wfp_probe(const char **step);

/*
 * wfp-access.c. Lets `user` (SID) add filters without elevation (`wanted` 1), takes that away again (0), or only looks (-1). *present: whether
 * the user has it afterwards by our entry.
 */
BH_EXPORT uint32_t bulkhead_wfp_access(const wchar_t *user, int32_t wanted, int32_t *present, const char **step);

/* security.c. Texts: `*length` is the room, and then what is needed, in characters with the final 0. */
BH_EXPORT uint32_t bulkhead_access_read(const wchar_t *path, struct bh_object *object, wchar_t *sddl, uint32_t *length);
BH_EXPORT uint32_t bulkhead_access_write(const wchar_t *path, const struct bh_object *expected, const wchar_t *sddl);
BH_EXPORT uint32_t bulkhead_label_read(const wchar_t *path, struct bh_object *object, struct bh_label *label);
BH_EXPORT uint32_t bulkhead_label_write(const wchar_t *path, const struct bh_object *expected, const struct bh_label *label);
BH_EXPORT uint32_t bulkhead_directory_make(const wchar_t *path, const wchar_t *sddl);
BH_EXPORT uint32_t bulkhead_final_path(const wchar_t *path, wchar_t *text, uint32_t *length);
BH_EXPORT uint32_t bulkhead_user_sid(wchar_t *text, uint32_t *length);
BH_EXPORT uint32_t bulkhead_group_sid(const wchar_t *name, wchar_t *text, uint32_t *length);
BH_EXPORT uint32_t bulkhead_lock(const wchar_t *path, uint64_t *lock);
BH_EXPORT void bulkhead_unlock(uint64_t lock);

/* delete-tree.c */
BH_EXPORT uint32_t bulkhead_tree_delete(const wchar_t *path);

#endif
