#include "file.h"

#include <string.h>
#include <wchar.h>

static DWORD hash_of(const WCHAR *path, size_t length) {
  DWORD hash = 2166136261u;
  for (size_t i = 0; i < length; i++) hash = (hash ^ RtlUpcaseUnicodeChar(path[i])) * 16777619u;
  return hash;
}

static bd_file *find(const WCHAR *path, size_t length) {
  DWORD hash = hash_of(path, length);
  for (DWORD at = bd_shared->file_heads[hash % BD_FILE_HEADS]; at; at = bd_shared->files[at - 1].next) {
    bd_file *file = &bd_shared->files[at - 1];
    if (file->hash == hash && !file->path[length] && bd_same_name(file->path, path, length)) return file;
  }
  return NULL;
}

static void unlink_file(bd_file *file) {
  DWORD index = (DWORD)(file - bd_shared->files) + 1;
  DWORD *link = &bd_shared->file_heads[file->hash % BD_FILE_HEADS];
  while (*link && *link != index) link = &bd_shared->files[*link - 1].next;
  if (*link) *link = file->next;
}

static void link_file(bd_file *file) {
  file->hash = hash_of(file->path, wcslen(file->path));
  file->next = bd_shared->file_heads[file->hash % BD_FILE_HEADS];
  bd_shared->file_heads[file->hash % BD_FILE_HEADS] = (DWORD)(file - bd_shared->files) + 1;
}

static void release(bd_file *file) {
  unlink_file(file);
  file->used = 0;
  file->next = bd_shared->file_free;
  bd_shared->file_free = (DWORD)(file - bd_shared->files) + 1;
}

static bd_file *claim(void) {
  bd_file *file = NULL;
  if (bd_shared->file_free) {
    file = &bd_shared->files[bd_shared->file_free - 1];
    bd_shared->file_free = file->next;
  } else if (bd_shared->file_count < BD_MAX_FILES) {
    file = &bd_shared->files[bd_shared->file_count++];
  }
  if (file) file->used = 1;
  return file;
}

/** Lengths of the path and of each directory above it, nearest first. */
static int levels(const WCHAR *path, size_t lengths[64]) {
  int count = 0;
  size_t length = wcslen(path);
  while (length > 3 && count < 63) {
    lengths[count++] = length;
    while (length > 3 && path[length - 1] != L'\\') length--;
    if (length > 3) length--;
  }
  lengths[count++] = length;
  return count;
}

static BOOL compute(const WCHAR *path, BOOL directory, bd_sd *sd) {
  size_t lengths[64];
  const bd_file *stored[64];
  bd_sd above;
  int count = levels(path, lengths), start = 0;
  /* Down from the nearest descriptor that depends on nothing above it. */
  for (; start < count; start++) {
    stored[start] = find(path, lengths[start]);
    if (stored[start] && ((stored[start]->flags & BD_FILE_RAW) || start == count - 1)) break;
    if (stored[start] && stored[start]->sd.dacl != BD_DACL_ABSENT && (stored[start]->sd.control & SE_DACL_PROTECTED) && stored[start]->sd.has_label) break;
  }
  if (start == count) return FALSE;
  *sd = stored[start]->sd;
  for (int i = start - 1; i >= 0; i--) {
    BOOL container = i > 0 || directory;
    above = *sd;
    if (!stored[i]) {
      if (!bd_inherit(&above, container, &above.owner, &above.group, sd)) return FALSE;
      continue;
    }
    bd_sd own = stored[i]->sd;
    if (bd_sid_none(&own.owner)) own.owner = above.owner;
    if (bd_sid_none(&own.group)) own.group = above.group;
    if (!bd_merge(&own, &above, container, sd)) return FALSE;
  }
  return TRUE;
}

BOOL bd_file_descriptor(const WCHAR *path, BOOL directory, bd_sd *sd) {
  bd_lock();
  BOOL found = compute(path, directory, sd);
  bd_unlock();
  return found;
}

BOOL bd_file_own(const WCHAR *path, bd_sd *sd, DWORD *flags) {
  bd_lock();
  const bd_file *file = find(path, wcslen(path));
  if (file) {
    *sd = file->sd;
    *flags = file->flags;
  }
  bd_unlock();
  return file != NULL;
}

NTSTATUS bd_file_store(const WCHAR *path, const bd_sd *sd, DWORD flags) {
  if (wcslen(path) >= BD_PATH) return STATUS_NAME_TOO_LONG;
  bd_lock();
  bd_file *file = find(path, wcslen(path));
  if (!file && (file = claim()) != NULL) {
    wcscpy(file->path, path);
    link_file(file);
  }
  if (file) {
    file->sd = *sd;
    file->flags = flags;
  }
  bd_unlock();
  return file ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static BOOL at_or_below(const WCHAR *path, const WCHAR *top) {
  size_t length = wcslen(top);
  return bd_same_name(path, top, length) && (!path[length] || path[length] == L'\\');
}

void bd_file_forget(const WCHAR *path) {
  bd_lock();
  for (DWORD i = 0; i < bd_shared->file_count; i++) {
    bd_file *file = &bd_shared->files[i];
    if (file->used && !(file->flags & BD_FILE_DEFAULT) && at_or_below(file->path, path)) release(file);
  }
  bd_unlock();
}

void bd_file_forget_one(const WCHAR *path) {
  bd_lock();
  bd_file *file = find(path, wcslen(path));
  if (file) release(file);
  bd_unlock();
}

NTSTATUS bd_file_move(const WCHAR *from, const WCHAR *to) {
  size_t old = wcslen(from), fresh = wcslen(to);
  NTSTATUS status = STATUS_SUCCESS;
  bd_lock();
  for (DWORD i = 0; i < bd_shared->file_count; i++) {
    bd_file *file = &bd_shared->files[i];
    if (!file->used || !at_or_below(file->path, from)) continue;
    size_t rest = wcslen(file->path + old);
    if (fresh + rest >= BD_PATH) {
      status = STATUS_NAME_TOO_LONG;
      continue;
    }
    unlink_file(file);
    memmove(file->path + fresh, file->path + old, (rest + 1) * sizeof(WCHAR));
    memcpy(file->path, to, fresh * sizeof(WCHAR));
    link_file(file);
  }
  bd_unlock();
  return status;
}

BOOL bd_same_descriptor(const bd_sd *one, const bd_sd *other) {
  if (!bd_sid_equal(&one->owner, &other->owner) || one->dacl != other->dacl || one->ace_count != other->ace_count) return FALSE;
  if ((one->control ^ other->control) & SE_DACL_PROTECTED) return FALSE;
  if (one->has_label != other->has_label) return FALSE;
  if (one->has_label && (one->label_rid != other->label_rid || one->label_policy != other->label_policy)) return FALSE;
  return memcmp(one->aces, other->aces, one->ace_count * sizeof(bd_ace)) == 0;
}
