#include "file.h"

#include <string.h>
#include <wchar.h>

#define UNIX_CODE_PAGE 65010 /* Wine's name for the code page of file names */

NTSTATUS bd_handle_name(HANDLE handle, WCHAR *name, size_t room) {
  BYTE buffer[sizeof(bd_object_name) + 2 * BD_PATH];
  const bd_object_name *object = (const void *)buffer;
  NTSTATUS status = NtQueryObject(handle, 1 /* ObjectNameInformation */, buffer, sizeof(buffer), NULL);
  if (status == STATUS_BUFFER_OVERFLOW || status == STATUS_INFO_LENGTH_MISMATCH || status == STATUS_BUFFER_TOO_SMALL) return STATUS_NAME_TOO_LONG;
  if (status) return status;
  size_t length = object->name.Length / sizeof(WCHAR);
  if (length + 1 > room) return STATUS_NAME_TOO_LONG;
  if (length) memcpy(name, object->name.Buffer, length * sizeof(WCHAR));
  name[length] = 0;
  return STATUS_SUCCESS;
}

/** The whole name, with that of the directory it is relative to. */
static NTSTATUS full_name(const OBJECT_ATTRIBUTES *attributes, WCHAR *name, size_t room) {
  size_t at = 0, length = attributes->ObjectName ? attributes->ObjectName->Length / sizeof(WCHAR) : 0;
  if (attributes->RootDirectory) {
    NTSTATUS status = bd_handle_name(attributes->RootDirectory, name, room - 1);
    if (status) return status;
    at = wcslen(name);
    if (length && at && name[at - 1] != L'\\') name[at++] = L'\\';
  }
  if (at + length + 1 > room) return STATUS_NAME_TOO_LONG;
  if (length) memcpy(name + at, attributes->ObjectName->Buffer, length * sizeof(WCHAR));
  name[at + length] = 0;
  return STATUS_SUCCESS;
}

BOOL bd_same_name(const WCHAR *one, const WCHAR *other, size_t most) {
  for (size_t i = 0; i < most; i++) {
    if (RtlUpcaseUnicodeChar(one[i]) != RtlUpcaseUnicodeChar(other[i])) return FALSE;
    if (!one[i]) return TRUE;
  }
  return TRUE;
}

static const WCHAR *after(const WCHAR *name, const WCHAR *prefix) {
  size_t length = wcslen(prefix);
  return bd_same_name(name, prefix, length) ? name + length : NULL;
}

/** Below drive_c of the prefix is C:, whichever way it was reached. */
static void fold_drive_c(WCHAR *path) {
  WCHAR inside[BD_PATH];
  swprintf(inside, BD_PATH, L"Z:%ls\\drive_c", bd_shared->prefix);
  const WCHAR *rest = after(path, inside);
  if (!bd_shared->prefix[0] || !rest || (*rest && *rest != L'\\')) return;
  memmove(path + 2, rest, (wcslen(rest) + 1) * sizeof(WCHAR));
  path[0] = L'C';
  path[1] = L':';
}

void bd_fold(WCHAR *path) {
  fold_drive_c(path);
  if (!path[2]) wcscat(path, L"\\");
  size_t end = wcslen(path);
  while (end > 3 && path[end - 1] == L'\\') path[--end] = 0;
}

/** /prefix/dosdevices/c:/x is C:\x, everything else is below Z:. */
static BOOL path_from_unix(const char *name, WCHAR path[BD_PATH], BOOL *stream) {
  WCHAR wide[BD_PATH], devices[BD_PATH];
  int length = MultiByteToWideChar(UNIX_CODE_PAGE, 0, name, -1, wide, BD_PATH - 4);
  if (!length) return FALSE;
  for (WCHAR *at = wide; *at; at++) {
    if (*at == L'/') *at = L'\\';
  }
  swprintf(devices, BD_PATH, L"%ls\\dosdevices\\", bd_shared->prefix);
  const WCHAR *rest = bd_shared->prefix[0] ? after(wide, devices) : NULL;
  if (rest && rest[0] && rest[1] == L':') {
    wcscpy(path, rest);
    path[0] = RtlUpcaseUnicodeChar(path[0]);
  } else {
    wcscpy(path, L"Z:");
    wcscat(path, wide);
  }
  bd_fold(path);
  /* A stream has the descriptor of its file. */
  WCHAR *last = wcsrchr(path, L'\\'), *colon = last ? wcschr(last, L':') : NULL;
  if (colon) *colon = 0;
  *stream = colon != NULL;
  return TRUE;
}

BOOL bd_path_exists(const WCHAR *path) {
  WCHAR name[BD_PATH + 8];
  FILE_BASIC_INFORMATION basic;
  swprintf(name, BD_PATH + 8, L"\\??\\%ls", path);
  UNICODE_STRING text = {(USHORT)(wcslen(name) * sizeof(WCHAR)), (USHORT)((wcslen(name) + 1) * sizeof(WCHAR)), name};
  OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes), .ObjectName = &text, .Attributes = OBJ_CASE_INSENSITIVE};
  return bd_real(NtQueryAttributesFile)(&attributes, &basic) == STATUS_SUCCESS;
}

BOOL bd_prefix_find(WCHAR prefix[BD_PATH]) {
  WCHAR root[] = L"\\??\\C:\\";
  UNICODE_STRING name = {sizeof(root) - sizeof(WCHAR), sizeof(root), root};
  OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes), .ObjectName = &name};
  char buffer[BD_PATH];
  ULONG size = sizeof(buffer);
  if (wine_nt_to_unix_file_name(&attributes, buffer, &size, FILE_OPEN)) return FALSE;
  char *end = strstr(buffer, "/dosdevices/");
  if (!end) return FALSE;
  *end = 0;
  if (!MultiByteToWideChar(UNIX_CODE_PAGE, 0, buffer, -1, prefix, BD_PATH)) return FALSE;
  for (WCHAR *at = prefix; *at; at++) {
    if (*at == L'/') *at = L'\\';
  }
  return TRUE;
}

static NTSTATUS resolve_file(UNICODE_STRING *name, bd_target *target) {
  OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes), .ObjectName = name, .Attributes = OBJ_CASE_INSENSITIVE};
  FILE_BASIC_INFORMATION basic;
  char buffer[3 * BD_PATH];
  ULONG size = sizeof(buffer);
  NTSTATUS status = wine_nt_to_unix_file_name(&attributes, buffer, &size, FILE_OPEN_IF);
  if (status == STATUS_BUFFER_TOO_SMALL) return STATUS_NAME_TOO_LONG;
  if (status == STATUS_BAD_DEVICE_TYPE) return STATUS_SUCCESS;
  if (status != STATUS_SUCCESS && status != STATUS_NO_SUCH_FILE) return status;
  if (!path_from_unix(buffer, target->path, &target->stream)) return STATUS_NAME_TOO_LONG;
  target->place = BD_PLACE_FILE;
  target->exists = status == STATUS_SUCCESS;
  if (target->exists && bd_real(NtQueryAttributesFile)(&attributes, &basic) == STATUS_SUCCESS) {
    target->directory = (basic.FileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
  }
  return STATUS_SUCCESS;
}

static NTSTATUS resolve_name(WCHAR *name, bd_target *target) {
  static const WCHAR *const pipes[] = {L"\\??\\PIPE\\", L"\\??\\GLOBAL\\PIPE\\", L"\\DosDevices\\PIPE\\", L"\\Device\\NamedPipe\\"};
  memset(target, 0, offsetof(bd_target, path));
  target->path[0] = 0;
  for (size_t i = 0; i < sizeof(pipes) / sizeof(pipes[0]); i++) {
    const WCHAR *rest = after(name, pipes[i]);
    if (!rest) continue;
    if (wcslen(rest) >= 256) return STATUS_NAME_TOO_LONG;
    target->place = BD_PLACE_PIPE;
    wcscpy(target->path, rest);
    return STATUS_SUCCESS;
  }
  UNICODE_STRING text = {(USHORT)(wcslen(name) * sizeof(WCHAR)), (USHORT)((wcslen(name) + 1) * sizeof(WCHAR)), name};
  const WCHAR *rest = after(name, L"\\??\\");
  if (!rest) rest = after(name, L"\\DosDevices\\");
  if (!rest) return STATUS_SUCCESS;
  /* A device such as NUL has no separator; X: alone is the volume. */
  if (!wcschr(rest, L'\\') && !wcschr(rest, L'/')) {
    if ((rest[0] && rest[1] == L':' && !rest[2]) || after(rest, L"PhysicalDrive")) target->place = BD_PLACE_DISK;
    return STATUS_SUCCESS;
  }
  return resolve_file(&text, target);
}

NTSTATUS bd_resolve(const OBJECT_ATTRIBUTES *attributes, bd_target *target) {
  WCHAR name[2 * BD_PATH];
  if (!attributes || (!attributes->ObjectName && !attributes->RootDirectory)) return STATUS_INVALID_PARAMETER;
  NTSTATUS status = full_name(attributes, name, 2 * BD_PATH);
  return status ? status : resolve_name(name, target);
}

NTSTATUS bd_resolve_handle(HANDLE file, bd_target *target) {
  WCHAR name[2 * BD_PATH];
  NTSTATUS status = bd_handle_name(file, name, 2 * BD_PATH);
  return status ? status : resolve_name(name, target);
}

BOOL bd_parent_of(const WCHAR *path, WCHAR parent[BD_PATH]) {
  const WCHAR *slash = wcsrchr(path, L'\\');
  if (!slash || !slash[1]) return FALSE;
  size_t length = (size_t)(slash - path);
  if (length == 2) length = 3;
  memcpy(parent, path, length * sizeof(WCHAR));
  parent[length] = 0;
  return TRUE;
}
