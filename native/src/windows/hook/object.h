/* What a call acts on, under the name that rules use. Asks the system; never changes anything. */
#ifndef BULKHEAD_HOOK_OBJECT_H
#define BULKHEAD_HOOK_OBJECT_H

#include <stdbool.h>

#include "nt.h"
#include "runtime.h"

struct bh_object {
  struct bh_text16 named; /* as the caller spelt it, made canonical by its text */
  struct bh_text16 real; /* as the system resolved it: links followed, short names made long; the same where it could not */
  bool missing; /* there is nothing of this name yet */
  bool either; /* both are names of the same thing by right: a key, and a value in it */
};

/* The caller's description of a name, copied once: what is judged is also what the system gets. */
struct bh_named {
  OBJECT_ATTRIBUTES attributes;
  UNICODE_STRING name;
  bool no_name;
};

/* Describes a name of our own; `name` lies in `room->copy` or outlives the description. */
void bh_named_make(struct bh_named *named, HANDLE root, struct bh_text16 name);

enum bh_found {
  BH_FOUND,
  BH_OTHER, /* nothing that rules speak of: a pipe, a console, a socket */
  BH_UNREADABLE /* it could not be found out */
};

/* Lists what the machine's drives are called. To be called once, before anything else here. */
void bh_object_start(void);

/* Copies a caller's OBJECT_ATTRIBUTES with its name into `room->copy`. False: it cannot be read, or the name is too long. */
bool bh_named_copy(struct bh_room *room, const OBJECT_ATTRIBUTES *given, struct bh_named *named);

/* The native name of a DOS path of the policy, in `into` (BH_PATH_MAX units, more than any text of a policy takes). */
UNICODE_STRING bh_native_of(uint16_t *into, struct bh_text16 path);

/* `options`: FILE_OPEN_REPARSE_POINT and FILE_OPEN_BY_FILE_ID of the caller's create options matter. */
enum bh_found bh_object_file(struct bh_room *room, const struct bh_named *named, ULONG options, struct bh_object *object);
enum bh_found bh_object_file_handle(struct bh_room *room, HANDLE file, struct bh_object *object);
/* What a rename or link leads to. `replacement` is the caller's, `room->copy` holds its name afterwards. */
enum bh_found bh_object_destination(struct bh_room *room, HANDLE file, HANDLE root, struct bh_text16 name, struct bh_object *object);

/* A key by name; the key behind a handle, and then `real` is the key with `\value` behind it when a value is named (NULL: none is). */
enum bh_found bh_object_key(struct bh_room *room, const struct bh_named *named, struct bh_object *object);
enum bh_found bh_object_key_handle(struct bh_room *room, HANDLE key, const UNICODE_STRING *value, struct bh_object *object);

/* The program of a process; `pid:<number>` where it cannot be had. */
enum bh_found bh_object_process(struct bh_room *room, HANDLE process, struct bh_object *object);

/* The same by number. */
enum bh_found bh_object_pid(struct bh_room *room, DWORD pid, struct bh_object *object);

/* A word of our own. */
void bh_object_word(const wchar_t *word, struct bh_object *object);

/* True when the handle is of this kind ("File", "Key", "Process"). */
bool bh_object_is(HANDLE handle, const char *kind);

#endif
