/*
 * Deletes a directory that somebody hostile filled. Every object is opened relative to the directory it is in and as itself, so that no
 * link is followed, nothing can be exchanged on the way, and no path can be too long: trees may be deeper than a path can say.
 */
#include <windows.h>

#include <sddl.h>
#include <stdlib.h>
#include <winternl.h>

#include "library.h"
#include "object.h"

enum { OPEN_ITSELF = FILE_OPEN_REPARSE_POINT | FILE_OPEN_FOR_BACKUP_INTENT | FILE_SYNCHRONOUS_IO_NONALERT };

static DWORD open_in(HANDLE directory, const wchar_t *name, size_t characters, ACCESS_MASK access, HANDLE *opened) {
  UNICODE_STRING text = {
      .Length = (USHORT)(characters * sizeof(*name)), .MaximumLength = (USHORT)(characters * sizeof(*name)), .Buffer = (wchar_t *)name};
  OBJECT_ATTRIBUTES object = {.Length = sizeof(object), .RootDirectory = directory, .ObjectName = &text};
  IO_STATUS_BLOCK io;
  const ULONG share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
  const NTSTATUS status = NtCreateFile(opened, access | SYNCHRONIZE, &object, &io, NULL, 0, share, FILE_OPEN, OPEN_ITSELF, NULL, 0);
  return status < 0 ? RtlNtStatusToDosError(status) : 0;
}

/* Whoever makes an object chooses its first access list, which may shut out its owner; an owner may always choose another one. */
static DWORD seize(HANDLE directory, const wchar_t *name, size_t characters) {
  HANDLE handle;
  DWORD error = open_in(directory, name, characters, WRITE_DAC, &handle);
  if (error != 0) return error;
  PSECURITY_DESCRIPTOR mine;
  if (ConvertStringSecurityDescriptorToSecurityDescriptorW(L"D:P(A;;FA;;;S-1-3-4)", SDDL_REVISION_1, &mine, NULL)) {
    error = SetKernelObjectSecurity(handle, DACL_SECURITY_INFORMATION, mine) ? 0 : GetLastError();
    LocalFree(mine);
  } else
    error = GetLastError();
  CloseHandle(handle);
  return error;
}

static DWORD open_to_delete(HANDLE directory, const wchar_t *name, size_t characters, HANDLE *opened) {
  const ACCESS_MASK access = DELETE | FILE_LIST_DIRECTORY | FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES;
  DWORD error = open_in(directory, name, characters, access, opened);
  if (error == ERROR_ACCESS_DENIED && seize(directory, name, characters) == 0) error = open_in(directory, name, characters, access, opened);
  /* A file of somebody else may still be deleted by whoever owns the directory. */
  if (error == ERROR_ACCESS_DENIED) error = open_in(directory, name, characters, DELETE | FILE_READ_ATTRIBUTES, opened);
  return error;
}

/* FileDispositionInfoEx of FILE_INFO_BY_HANDLE_CLASS; the compiler's headers hide it. */
#define DISPOSITION_INFO_EX ((FILE_INFO_BY_HANDLE_CLASS)21)

static DWORD dispose(HANDLE handle) {
  const DWORD flags = FILE_DISPOSITION_FLAG_DELETE | FILE_DISPOSITION_FLAG_POSIX_SEMANTICS | FILE_DISPOSITION_FLAG_IGNORE_READONLY_ATTRIBUTE;
  FILE_DISPOSITION_INFO_EX gone = {.Flags = flags};
  /* The name is free at once, whoever still has it open. Not every filesystem can do it (NTFS since Windows 10 1709). */
  if (SetFileInformationByHandle(handle, DISPOSITION_INFO_EX, &gone, sizeof(gone))) return 0;
  FILE_BASIC_INFO basic = {.FileAttributes = FILE_ATTRIBUTE_NORMAL};
  FILE_DISPOSITION_INFO later = {.DeleteFile = TRUE};
  (void)SetFileInformationByHandle(handle, FileBasicInfo, &basic, sizeof(basic));
  return SetFileInformationByHandle(handle, FileDispositionInfo, &later, sizeof(later)) ? 0 : GetLastError();
}

/* A directory that is being emptied. */
struct level {
  HANDLE handle;
  /* The first that was found in it last time. Found first again, it could not be deleted: going on would never end. */
  LONGLONG first;
};

/* From the outermost to the innermost. */
struct stack {
  struct level *levels;
  size_t used, room;
};

static DWORD push(struct stack *stack, HANDLE handle) {
  if (stack->used == stack->room) {
    const size_t room = stack->room ? stack->room * 2 : 64;
    struct level *more = realloc(stack->levels, room * sizeof(*more));
    if (!more) return ERROR_NOT_ENOUGH_MEMORY;
    stack->levels = more;
    stack->room = room;
  }
  stack->levels[stack->used++] = (struct level){.handle = handle, .first = -1};
  return 0;
}

/* Deletes the innermost directory, which must be empty. */
static DWORD pop(struct stack *stack) {
  HANDLE handle = stack->levels[--stack->used].handle;
  const DWORD error = dispose(handle);
  CloseHandle(handle);
  return error;
}

/* Deletes the object, or makes it the directory that is emptied next. */
static DWORD take(struct stack *stack, HANDLE directory, const FILE_ID_BOTH_DIR_INFO *entry, BOOL *descend) {
  HANDLE handle;
  DWORD error = open_to_delete(directory, entry->FileName, entry->FileNameLength / sizeof(wchar_t), &handle);
  if (error != 0) return error == ERROR_FILE_NOT_FOUND ? 0 : error;
  FILE_ATTRIBUTE_TAG_INFO facts;
  if (!GetFileInformationByHandleEx(handle, FileAttributeTagInfo, &facts, sizeof(facts)))
    error = GetLastError();
  else if ((facts.FileAttributes & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT)) == FILE_ATTRIBUTE_DIRECTORY) {
    error = push(stack, handle);
    *descend = error == 0;
    if (error == 0) return 0;
  } else
    error = dispose(handle);
  CloseHandle(handle);
  return error;
}

/* The two entries that every directory has. */
static BOOL is_dots(const FILE_ID_BOTH_DIR_INFO *entry) {
  const DWORD length = entry->FileNameLength / sizeof(wchar_t);
  return (length == 1 || length == 2) && entry->FileName[0] == L'.' && entry->FileName[length - 1] == L'.';
}

/* Empties the innermost directory until it has a directory in it, which is then the innermost; an empty one is deleted. */
static DWORD step(struct stack *stack, BYTE *buffer, DWORD size) {
  struct level *level = &stack->levels[stack->used - 1];
  HANDLE directory = level->handle;
  /* From the beginning: what was listed before is gone. */
  if (!GetFileInformationByHandleEx(directory, FileIdBothDirectoryRestartInfo, buffer, size)) {
    const DWORD error = GetLastError();
    return error == ERROR_NO_MORE_FILES || error == ERROR_FILE_NOT_FOUND ? pop(stack) : error;
  }
  BOOL any = FALSE;
  for (const BYTE *at = buffer;;) {
    const FILE_ID_BOTH_DIR_INFO *entry = (const FILE_ID_BOTH_DIR_INFO *)at;
    if (!is_dots(entry)) {
      if (!any && entry->FileId.QuadPart == level->first) return ERROR_DIR_NOT_EMPTY;
      if (!any) level->first = entry->FileId.QuadPart;
      any = TRUE;
      BOOL descend = FALSE;
      const DWORD error = take(stack, directory, entry, &descend);
      /* `level` may have moved. */
      if (error != 0 || descend) return error;
    }
    if (entry->NextEntryOffset == 0) return any ? 0 : pop(stack);
    at += entry->NextEntryOffset;
  }
}

/* 0 also when there is nothing of that name. What cannot be deleted ends it; the rest is left. */
uint32_t bulkhead_tree_delete(const wchar_t *path) {
  enum { SIZE = 64 * 1024 };
  struct stack stack = {0};
  struct bh_object object;
  HANDLE root;
  DWORD error = bh_object_open(path, DELETE | FILE_LIST_DIRECTORY | FILE_WRITE_ATTRIBUTES, &root, &object);
  if (error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND) return 0;
  if (error != 0) return error;
  if ((object.attributes & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT)) != FILE_ATTRIBUTE_DIRECTORY) {
    CloseHandle(root);
    return ERROR_DIRECTORY;
  }
  BYTE *buffer = malloc(SIZE);
  error = buffer ? push(&stack, root) : ERROR_NOT_ENOUGH_MEMORY;
  if (error != 0) CloseHandle(root);
  while (error == 0 && stack.used > 0) error = step(&stack, buffer, SIZE);
  while (stack.used > 0) CloseHandle(stack.levels[--stack.used].handle);
  free(stack.levels);
  free(buffer);
  return error;
}
