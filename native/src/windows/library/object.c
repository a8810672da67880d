#include "object.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* Whatever the case: names on a path may be spelled in another one than on the disk. */
static DWORD require_exact(HANDLE handle, const wchar_t *path) {
  const size_t length = wcslen(path);
  /* A final path that does not fit is another path. */
  wchar_t *final = malloc((length + 2) * sizeof(*final));
  if (!final) return ERROR_NOT_ENOUGH_MEMORY;
  const DWORD found = GetFinalPathNameByHandleW(handle, final, (DWORD)length + 2, FILE_NAME_NORMALIZED | VOLUME_NAME_DOS);
  DWORD error = 0;
  if (found == 0)
    error = GetLastError();
  else if (found != length || CompareStringOrdinal(final, (int)length, path, (int)length, TRUE) != CSTR_EQUAL)
    error = ERROR_CANT_RESOLVE_FILENAME;
  free(final);
  return error;
}

static DWORD describe(HANDLE handle, struct bh_object *object) {
  BY_HANDLE_FILE_INFORMATION facts;
  FILE_ID_INFO id;
  if (!GetFileInformationByHandle(handle, &facts)) return GetLastError();
  if (!GetFileInformationByHandleEx(handle, FileIdInfo, &id, sizeof(id))) {
    /* Filesystems without long ids have short ones. */
    memset(&id, 0, sizeof(id));
    id.VolumeSerialNumber = facts.dwVolumeSerialNumber;
    memcpy(&id.FileId, &facts.nFileIndexLow, sizeof(DWORD));
    memcpy((BYTE *)&id.FileId + sizeof(DWORD), &facts.nFileIndexHigh, sizeof(DWORD));
  }
  object->attributes = facts.dwFileAttributes;
  object->links = facts.nNumberOfLinks;
  object->volume = id.VolumeSerialNumber;
  memcpy(object->file, &id.FileId, sizeof(object->file));
  return 0;
}

DWORD bh_object_open(const wchar_t *path, DWORD access, HANDLE *handle, struct bh_object *object) {
  const DWORD share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
  /* Backup semantics: or directories could not be opened. */
  const DWORD flags = FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT;
  HANDLE opened = CreateFileW(path, access | FILE_READ_ATTRIBUTES, share, NULL, OPEN_EXISTING, flags, NULL);
  if (opened == INVALID_HANDLE_VALUE) return GetLastError();
  DWORD error = require_exact(opened, path);
  if (error == 0) error = describe(opened, object);
  if (error == 0)
    *handle = opened;
  else
    CloseHandle(opened);
  return error;
}

BOOL bh_object_same(const struct bh_object *one, const struct bh_object *other) {
  return one->volume == other->volume && memcmp(one->file, other->file, sizeof(one->file)) == 0;
}
