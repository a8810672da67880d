#include "scratch.h"

#include "runtime.h"

static volatile LONG counter;

static uint32_t put_number(wchar_t *into, uint32_t at, DWORD value) {
  for (int shift = 28; shift >= 0; shift -= 4) into[at++] = L"0123456789abcdef"[value >> shift & 15];
  return at;
}

/* What the system would answer to the caller's own name (NtCreateFile, CreateDisposition). */
static NTSTATUS outcome(ULONG disposition, bool missing, ULONG_PTR *information) {
  if (missing) {
    *information = FILE_CREATED;
    return disposition == FILE_OPEN || disposition == FILE_OVERWRITE ? BH_NAME_NOT_FOUND : BH_SUCCESS;
  }
  *information = disposition == FILE_SUPERSEDE ? FILE_SUPERSEDED
                 : disposition == FILE_OVERWRITE || disposition == FILE_OVERWRITE_IF ? FILE_OVERWRITTEN
                                                                                     : FILE_OPENED;
  return disposition == FILE_CREATE ? BH_NAME_COLLISION : BH_SUCCESS;
}

NTSTATUS bh_scratch_open(const struct bh_open *open, bool missing) {
  wchar_t path[MAX_PATH + 64] = L"\\??\\";
  IO_STATUS_BLOCK io;
  HANDLE file;
  ULONG_PTR information;
  NTSTATUS status = outcome(open->disposition, missing, &information);
  if (!BH_NT_OK(status)) return status;
  const DWORD length = GetTempPathW(MAX_PATH, path + 4);
  if (length == 0 || length > MAX_PATH) return BH_ACCESS_DENIED;
  uint32_t at = 4 + length;
  memcpy(path + at, L"bulkhead-", 9 * sizeof(wchar_t));
  at = put_number(path, at + 9, GetCurrentProcessId());
  path[at++] = L'-';
  at = put_number(path, at, (DWORD)InterlockedIncrement(&counter));

  UNICODE_STRING name = {(USHORT)(at * sizeof(wchar_t)), (USHORT)(at * sizeof(wchar_t)), path};
  OBJECT_ATTRIBUTES attributes = *open->attributes;
  attributes.RootDirectory = NULL;
  attributes.ObjectName = &name;
  const ACCESS_MASK access = (open->access & MAXIMUM_ALLOWED) != 0 ? GENERIC_READ | GENERIC_WRITE : open->access;
  const ULONG kept = FILE_DIRECTORY_FILE | FILE_NON_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT |
                     FILE_SEQUENTIAL_ONLY | FILE_RANDOM_ACCESS | FILE_WRITE_THROUGH;
  const ULONG share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
  status = NtCreateFile(&file, access | DELETE, &attributes, &io, NULL, FILE_ATTRIBUTE_TEMPORARY, share, FILE_CREATE,
                        (open->options & kept) | FILE_DELETE_ON_CLOSE, NULL, 0);
  if (!BH_NT_OK(status)) return status;
  io.Information = information;
  if (bh_copy_out(open->file, &file, sizeof(file)) && bh_copy_out(open->io, &io, sizeof(io))) return BH_SUCCESS;
  NtClose(file);
  return BH_ACCESS_VIOLATION;
}
