#include "object.h"

#include "key.h"
#include "path.h"

NTSYSAPI NTSTATUS NTAPI NtQueryKey(HANDLE key, int kind, void *into, ULONG size, ULONG *needed);
NTSYSAPI NTSTATUS NTAPI RtlFormatCurrentUserKeyPath(UNICODE_STRING *path);

#define DRIVE_TARGET 512
#define REFRESH 5000 /* milliseconds */

static struct {
  uint16_t target[DRIVE_TARGET];
  uint32_t length;
} drives[26];
static volatile ULONGLONG listed;
static uint16_t hive[256];
static uint32_t hive_length;

/* QueryDosDeviceW: the first of several targets is the one in force. */
static uint32_t query(const wchar_t *name, uint16_t *into, uint32_t size) {
  const DWORD got = QueryDosDeviceW(name, (wchar_t *)into, size);
  uint32_t length = 0;
  while (length < got && into[length] != 0) length++;
  return length;
}

static void list_drives(void) {
  for (int i = 0; i < 26; i++) {
    const wchar_t name[3] = {(wchar_t)(L'A' + i), L':', 0};
    drives[i].length = query(name, drives[i].target, DRIVE_TARGET);
  }
  listed = GetTickCount64();
}

void bh_object_start(void) {
  list_drives();
  UNICODE_STRING path;
  if (!BH_NT_OK(RtlFormatCurrentUserKeyPath(&path))) return;
  hive_length = path.Length / sizeof(WCHAR);
  if (hive_length > sizeof(hive) / sizeof(hive[0])) hive_length = 0;
  memcpy(hive, path.Buffer, hive_length * sizeof(WCHAR));
  RtlFreeUnicodeString(&path);
}

static long lookup(void *context, struct bh_text16 name, uint16_t *into, size_t size) {
  (void)context;
  uint16_t found[DRIVE_TARGET];
  const uint16_t *target = found;
  uint32_t length = 0;
  if (name.length == 2) {
    const unsigned i = (name.units[0] | 32u) - 'a';
    if (i >= 26) return -1;
    target = drives[i].target;
    length = drives[i].length;
  } else {
    wchar_t text[80];
    if (name.length >= 80) return -1;
    memcpy(text, name.units, name.length * sizeof(wchar_t));
    text[name.length] = 0;
    length = query(text, found, DRIVE_TARGET);
  }
  if (length == 0 || length > size) return -1;
  memcpy(into, target, length * sizeof(uint16_t));
  return (long)length;
}

static bool begins_device(struct bh_text16 text) {
  return bh_text16_starts(text, "\\Device\\Harddisk") || bh_text16_starts(text, "\\Device\\CdRom");
}

/* A native name into `into`; its length or what bh_path_canonical says. A disk without a letter may have got one since. */
static long canonical(struct bh_room *room, struct bh_text16 native, uint16_t *into) {
  const struct bh_path_room places = {into, room->folded, BH_PATH_MAX};
  const long length = bh_path_canonical(native, lookup, NULL, &places);
  if (length <= 0 || !begins_device(native) || into[0] != '\\' || GetTickCount64() - listed < REFRESH) return length;
  list_drives();
  return bh_path_canonical(native, lookup, NULL, &places);
}

bool bh_named_copy(struct bh_room *room, const OBJECT_ATTRIBUTES *given, struct bh_named *named) {
  if (given == NULL || !bh_copy_in(&named->attributes, given, sizeof(named->attributes))) return false;
  named->no_name = named->attributes.ObjectName == NULL;
  if (named->no_name) return true;
  if (!bh_copy_in(&named->name, named->attributes.ObjectName, sizeof(named->name))) return false;
  const size_t bytes = named->name.Length;
  if (bytes > (BH_PATH_MAX - 1) * sizeof(uint16_t) || !bh_copy_in(room->copy, named->name.Buffer, bytes)) return false;
  room->copy[bytes / 2] = 0;
  named->name.Buffer = (wchar_t *)room->copy;
  named->name.MaximumLength = named->name.Length;
  named->attributes.ObjectName = &named->name;
  return true;
}

UNICODE_STRING bh_native_of(uint16_t *into, struct bh_text16 path) {
  memcpy(into, L"\\??\\", 4 * sizeof(uint16_t));
  memcpy(into + 4, path.units, path.length * sizeof(uint16_t));
  const USHORT bytes = (USHORT)((path.length + 4) * sizeof(uint16_t));
  return (UNICODE_STRING){bytes, bytes, (wchar_t *)into};
}

void bh_named_make(struct bh_named *named, HANDLE root, struct bh_text16 name) {
  const USHORT bytes = (USHORT)(name.length * sizeof(uint16_t));
  *named = (struct bh_named){.name = {bytes, bytes, (wchar_t *)(uintptr_t)name.units}};
  InitializeObjectAttributes(&named->attributes, &named->name, OBJ_CASE_INSENSITIVE, root, NULL);
}

static struct bh_text16 text_of(const UNICODE_STRING *name) {
  return (struct bh_text16){(const uint16_t *)name->Buffer, name->Length / (uint32_t)sizeof(WCHAR)};
}

static bool no_normalized_names;

/*
 * The native name of an open file or directory in `into`, or 0. The object's name may have short names in it, and the normalised name lacks
 * the volume; together they are whole. Wine has no normalised names.
 */
static uint32_t name_of_handle(HANDLE handle, uint16_t *into, size_t size, void *space, ULONG space_size) {
  ULONG needed;
  if (!BH_NT_OK(NtQueryObject(handle, (OBJECT_INFORMATION_CLASS)BH_OBJECT_NAME, space, space_size, &needed))) return 0;
  const UNICODE_STRING *name = space;
  uint32_t length = name->Length / (uint32_t)sizeof(WCHAR);
  if (name->Buffer == NULL || length == 0 || length > size) return 0;
  memcpy(into, name->Buffer, name->Length);
  if (no_normalized_names) return length;
  IO_STATUS_BLOCK io;
  struct bh_counted_name *tail = space;
  if (!BH_NT_OK(NtQueryInformationFile(handle, &io, space, space_size, (FILE_INFORMATION_CLASS)BH_FILE_NAME))) return length;
  const uint32_t opened = tail->length / (uint32_t)sizeof(WCHAR);
  const NTSTATUS status = NtQueryInformationFile(handle, &io, space, space_size, (FILE_INFORMATION_CLASS)BH_FILE_NORMALIZED_NAME);
  if (status == BH_NOT_IMPLEMENTED) no_normalized_names = true;
  if (opened > length || !BH_NT_OK(status)) return length;
  const uint32_t whole = tail->length / (uint32_t)sizeof(WCHAR);
  if (whole == 0 || length - opened + whole > size) return length;
  memcpy(into + (length - opened), tail->name, tail->length);
  return length - opened + whole;
}

static struct bh_object whole(uint16_t *units, long length) {
  const struct bh_text16 text = {units, (uint32_t)length};
  return (struct bh_object){.named = text, .real = text};
}

/* Fills room->raw with the canonical name of a handle; the length or a negative number. Uses room->real and room->folded. */
static long path_of_handle(struct bh_room *room, HANDLE handle, uint16_t *into) {
  const uint32_t length = name_of_handle(handle, room->raw, BH_PATH_MAX, room->real, sizeof(room->real));
  if (length == 0) return BH_PATH_NO_FILE;
  return canonical(room, (struct bh_text16){room->raw, length}, into);
}

/* The whole native name into room->raw: what the directory handle is called, and the caller's name behind it. */
static uint32_t absolute(struct bh_room *room, HANDLE root, struct bh_text16 name) {
  uint32_t length = 0;
  if (root != NULL) {
    length = name_of_handle(root, room->raw, BH_PATH_MAX, room->real, sizeof(room->real));
    if (length == 0) return 0;
    if (name.length > 0 && room->raw[length - 1] != '\\') room->raw[length++] = '\\';
  }
  if (length + name.length > BH_PATH_MAX) return 0;
  memcpy(room->raw + length, name.units, name.length * sizeof(uint16_t));
  return length + name.length;
}

static bool is_missing(NTSTATUS status) { return status == BH_NAME_NOT_FOUND || status == BH_PATH_NOT_FOUND; }

static NTSTATUS look(OBJECT_ATTRIBUTES *attributes, ULONG options, HANDLE *file) {
  IO_STATUS_BLOCK io;
  const ULONG share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
  attributes->Attributes &= ~(ULONG)OBJ_INHERIT;
  return NtOpenFile(file, FILE_READ_ATTRIBUTES, attributes, &io, share, options | FILE_OPEN_FOR_BACKUP_INTENT);
}

/* The directory above and the last component, for what does not exist. */
static long resolve_parent(struct bh_room *room, OBJECT_ATTRIBUTES attributes, struct bh_text16 name) {
  uint32_t end = name.length;
  while (end > 0 && name.units[end - 1] == '\\') end--;
  uint32_t start = end;
  while (start > 0 && name.units[start - 1] != '\\') start--;
  if (start == end || (start == 0 && attributes.RootDirectory == NULL)) return BH_PATH_NO_FILE;
  UNICODE_STRING parent = {(USHORT)(start * sizeof(WCHAR)), (USHORT)(start * sizeof(WCHAR)), (WCHAR *)(uintptr_t)name.units};
  HANDLE directory = attributes.RootDirectory;
  if (start > 0) {
    attributes.ObjectName = &parent;
    if (!BH_NT_OK(look(&attributes, FILE_DIRECTORY_FILE, &directory))) return BH_PATH_NO_FILE;
  }
  uint32_t length = name_of_handle(directory, room->raw, BH_PATH_MAX, room->real, sizeof(room->real));
  if (start > 0) NtClose(directory);
  if (length == 0 || length + 1 + (end - start) > BH_PATH_MAX) return BH_PATH_NO_FILE;
  if (room->raw[length - 1] != '\\') room->raw[length++] = '\\';
  memcpy(room->raw + length, name.units + start, (end - start) * sizeof(uint16_t));
  return canonical(room, (struct bh_text16){room->raw, length + (end - start)}, room->real);
}

static enum bh_found resolve(struct bh_room *room, OBJECT_ATTRIBUTES attributes, struct bh_text16 name, ULONG options, long named,
                             struct bh_object *object) {
  HANDLE file;
  long real = BH_PATH_NO_FILE;
  const NTSTATUS status = look(&attributes, options & (FILE_OPEN_REPARSE_POINT | FILE_OPEN_BY_FILE_ID), &file);
  if (BH_NT_OK(status)) {
    const uint32_t length = name_of_handle(file, room->raw, BH_PATH_MAX, room->real, sizeof(room->real));
    if (length > 0) real = canonical(room, (struct bh_text16){room->raw, length}, room->real);
    NtClose(file);
  } else if (is_missing(status)) {
    object->missing = true;
    real = resolve_parent(room, attributes, name);
  }
  if (real <= 0 && named <= 0) return BH_UNREADABLE;
  object->named = named > 0 ? (struct bh_text16){room->named, (uint32_t)named} : (struct bh_text16){room->real, (uint32_t)real};
  object->real = real > 0 ? (struct bh_text16){room->real, (uint32_t)real} : object->named;
  return BH_FOUND;
}

enum bh_found bh_object_file(struct bh_room *room, const struct bh_named *named, ULONG options, struct bh_object *object) {
  *object = (struct bh_object){.missing = false};
  const struct bh_text16 name = named->no_name ? (struct bh_text16){room->copy, 0} : text_of(&named->name);
  long length = BH_PATH_NO_FILE;
  if ((options & FILE_OPEN_BY_FILE_ID) == 0) {
    const uint32_t whole = absolute(room, named->attributes.RootDirectory, name);
    if (whole == 0) return named->attributes.RootDirectory != NULL ? BH_OTHER : BH_UNREADABLE;
    length = canonical(room, (struct bh_text16){room->raw, whole}, room->named);
    if (length == BH_PATH_NO_FILE) return BH_OTHER;
    if (length < 0) return BH_UNREADABLE;
  }
  return resolve(room, named->attributes, name, options, length, object);
}

enum bh_found bh_object_file_handle(struct bh_room *room, HANDLE file, struct bh_object *object) {
  const long length = path_of_handle(room, file, room->named);
  if (length == BH_PATH_NO_FILE) return BH_OTHER;
  if (length < 0) return BH_UNREADABLE;
  *object = whole(room->named, length);
  return BH_FOUND;
}

enum bh_found bh_object_destination(struct bh_room *room, HANDLE file, HANDLE root, struct bh_text16 name, struct bh_object *object) {
  /* A bare name without a directory stays beside the file. */
  bool bare = root == NULL && name.length > 0 && name.units[0] != '\\';
  struct bh_named named;
  bh_named_make(&named, root, name);
  if (!bare) return bh_object_file(room, &named, FILE_OPEN_REPARSE_POINT, object);
  uint32_t length = name_of_handle(file, room->raw, BH_PATH_MAX, room->real, sizeof(room->real));
  while (length > 0 && room->raw[length - 1] != '\\') length--;
  if (length == 0 || length + name.length > BH_PATH_MAX) return BH_UNREADABLE;
  memcpy(room->raw + length, name.units, name.length * sizeof(uint16_t));
  const long made = canonical(room, (struct bh_text16){room->raw, length + name.length}, room->named);
  if (made < 0) return made == BH_PATH_NO_FILE ? BH_OTHER : BH_UNREADABLE;
  *object = whole(room->named, made);
  return BH_FOUND;
}

static uint32_t name_of_key(HANDLE key, uint16_t *into, size_t size, void *space, ULONG space_size) {
  ULONG needed;
  const struct bh_counted_name *name = space;
  if (!BH_NT_OK(NtQueryKey(key, BH_KEY_NAME, space, space_size, &needed)) || name->length / 2 > size) return 0;
  memcpy(into, name->name, name->length);
  return name->length / 2;
}

static enum bh_found key(struct bh_room *room, uint32_t raw, struct bh_object *object) {
  const long length = bh_key_canonical((struct bh_text16){room->raw, raw}, (struct bh_text16){hive, hive_length}, room->named, BH_PATH_MAX);
  if (length < 0) return BH_UNREADABLE;
  *object = whole(room->named, length);
  return BH_FOUND;
}

enum bh_found bh_object_key(struct bh_room *room, const struct bh_named *named, struct bh_object *object) {
  uint32_t length = 0;
  const struct bh_text16 name = named->no_name ? (struct bh_text16){room->copy, 0} : text_of(&named->name);
  if (named->attributes.RootDirectory != NULL) {
    length = name_of_key(named->attributes.RootDirectory, room->raw, BH_PATH_MAX, room->real, sizeof(room->real));
    if (length == 0) return BH_UNREADABLE;
    if (name.length > 0) room->raw[length++] = '\\';
  }
  if (length + name.length > BH_PATH_MAX) return BH_UNREADABLE;
  memcpy(room->raw + length, name.units, name.length * sizeof(uint16_t));
  return key(room, length + name.length, object);
}

enum bh_found bh_object_key_handle(struct bh_room *room, HANDLE handle, const UNICODE_STRING *value, struct bh_object *object) {
  UNICODE_STRING name;
  const uint32_t length = name_of_key(handle, room->raw, BH_PATH_MAX, room->real, sizeof(room->real));
  if (length == 0 || key(room, length, object) != BH_FOUND) return BH_UNREADABLE;
  if (value == NULL) return BH_FOUND;
  const size_t at = object->named.length;
  if (!bh_copy_in(&name, value, sizeof(name)) || at + 1 + name.Length / 2u > BH_PATH_MAX) return BH_UNREADABLE;
  memcpy(room->real, room->named, at * sizeof(uint16_t));
  room->real[at] = '\\';
  if (!bh_copy_in(room->real + at + 1, name.Buffer, name.Length)) return BH_UNREADABLE;
  object->real = (struct bh_text16){room->real, (uint32_t)(at + 1 + name.Length / 2u)};
  object->either = true;
  return BH_FOUND;
}

static enum bh_found number(struct bh_room *room, DWORD pid, struct bh_object *object) {
  uint32_t digits = 1;
  for (DWORD rest = pid; rest > 9; rest /= 10) digits++;
  memcpy(room->named, L"pid:", 4 * sizeof(wchar_t));
  for (uint32_t i = digits; i > 0; i--) {
    room->named[3 + i] = (uint16_t)('0' + pid % 10);
    pid /= 10;
  }
  *object = whole(room->named, 4 + (long)digits);
  return BH_FOUND;
}

enum bh_found bh_object_process(struct bh_room *room, HANDLE process, struct bh_object *object) {
  ULONG needed;
  UNICODE_STRING *name = (UNICODE_STRING *)(void *)room->real;
  if (!BH_NT_OK(NtQueryInformationProcess(process, (PROCESSINFOCLASS)BH_PROCESS_IMAGE_NAME, name, sizeof(room->real), &needed))) {
    return number(room, GetProcessId(process), object);
  }
  const long length = canonical(room, text_of(name), room->named);
  if (length <= 0) return number(room, GetProcessId(process), object);
  *object = whole(room->named, length);
  return BH_FOUND;
}

enum bh_found bh_object_pid(struct bh_room *room, DWORD pid, struct bh_object *object) {
  HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
  if (process == NULL) return number(room, pid, object);
  const enum bh_found found = bh_object_process(room, process, object);
  CloseHandle(process);
  return found;
}

void bh_object_word(const wchar_t *word, struct bh_object *object) {
  *object = (struct bh_object){.named = bh_text16_of(word), .real = bh_text16_of(word)};
}

bool bh_object_is(HANDLE handle, const char *kind) {
  uint64_t space[64];
  ULONG needed;
  const UNICODE_STRING *name = (const UNICODE_STRING *)(void *)space;
  if (!BH_NT_OK(NtQueryObject(handle, (OBJECT_INFORMATION_CLASS)BH_OBJECT_TYPE, space, sizeof(space), &needed))) return false;
  uint32_t i = 0;
  while (kind[i] != '\0' && i < name->Length / 2u && name->Buffer[i] == (uint8_t)kind[i]) i++;
  return kind[i] == '\0' && i == name->Length / 2u;
}
