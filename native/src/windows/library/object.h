/* A file or directory, opened as itself: a link is never followed, neither at the end of a path nor on the way. */
#ifndef BULKHEAD_OBJECT_H
#define BULKHEAD_OBJECT_H

#include <windows.h>

/* What a path named when it was looked at. Read by native/windows/security.ts: 32 bytes. */
struct bh_object {
  DWORD attributes; /* FILE_ATTRIBUTE_* */
  DWORD links;      /* names that lead to this file */
  ULONGLONG volume; /* FILE_ID_INFO */
  BYTE file[16];
};

_Static_assert(sizeof(struct bh_object) == 32, "struct bh_object");

/* A mandatory label. Read and written by native/windows/security.ts: 16 bytes. */
struct bh_label {
  DWORD present;
  DWORD flags;  /* OBJECT_INHERIT_ACE and so on */
  DWORD policy; /* SYSTEM_MANDATORY_LABEL_NO_WRITE_UP and so on */
  DWORD level;  /* the last number of its SID */
};

/*
 * Opens the object that `path` (beginning with \\?\, long names only) is, and says what it is. ERROR_CANT_RESOLVE_FILENAME when the path
 * leads to another one: through a link, a substituted drive or a short name.
 */
DWORD bh_object_open(const wchar_t *path, DWORD access, HANDLE *handle, struct bh_object *object);

/* Two looks at the same object, whatever it is called by now. */
BOOL bh_object_same(const struct bh_object *one, const struct bh_object *other);

#endif
