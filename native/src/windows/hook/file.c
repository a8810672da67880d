#include "hooks.h"
#include "scratch.h"

static NTSTATUS(NTAPI *real_create)(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, IO_STATUS_BLOCK *, LARGE_INTEGER *, ULONG, ULONG, ULONG,
                                    ULONG, void *, ULONG);
static NTSTATUS(NTAPI *real_open)(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, IO_STATUS_BLOCK *, ULONG, ULONG);
static NTSTATUS(NTAPI *real_delete)(OBJECT_ATTRIBUTES *);

/* MAXIMUM_ALLOWED is whatever the caller may, and so writing. Every disposition but FILE_OPEN makes or empties a file. */
static bool writes(ACCESS_MASK access, ULONG disposition) {
  const ACCESS_MASK rights = FILE_WRITE_DATA | FILE_APPEND_DATA | GENERIC_WRITE | GENERIC_ALL | MAXIMUM_ALLOWED;
  return (access & rights) != 0 || disposition != FILE_OPEN;
}

static NTSTATUS carry_out(const struct bh_open *o) {
  return real_create(o->file, o->access, o->attributes, o->io, o->size, o->file_attributes, o->share, o->disposition, o->options, o->ea,
                     o->ea_length);
}

/* Opens `target`, a DOS path of the policy, in the place of what was named. */
static NTSTATUS elsewhere(struct bh_room *room, struct bh_open *open, struct bh_text16 target) {
  UNICODE_STRING name = bh_native_of(room->copy, target);
  open->attributes->ObjectName = &name;
  open->attributes->RootDirectory = NULL;
  open->options &= ~(ULONG)FILE_OPEN_BY_FILE_ID;
  return carry_out(open);
}

static NTSTATUS open_in(struct bh_room *room, struct bh_open *open, bool write, bool erase) {
  struct bh_named named;
  struct bh_object object;
  if (!bh_named_copy(room, open->attributes, &named)) {
    const unsigned act = write ? BH_HOOK_FILE_WRITE : BH_HOOK_FILE_DELETE;
    return bh_judge_unreadable(act).say == BH_DENY ? BH_ACCESS_DENIED : carry_out(open);
  }
  open->attributes = &named.attributes;
  if (write) {
    const struct bh_said said = bh_ask_rules(room, BH_HOOK_FILE_WRITE, bh_object_file(room, &named, open->options, &object), &object);
    if (said.say == BH_REDIRECT) return elsewhere(room, open, said.target);
    if (said.say == BH_EMULATE) return bh_scratch_open(open, object.missing);
    if (said.say != BH_PASS) return bh_status_of(said.say);
  }
  if (erase) {
    const ULONG options = open->options | FILE_OPEN_REPARSE_POINT;
    const struct bh_said said = bh_ask_rules(room, BH_HOOK_FILE_DELETE, bh_object_file(room, &named, options, &object), &object);
    if (said.say == BH_EMULATE) {
      open->options &= ~(ULONG)FILE_DELETE_ON_CLOSE;
    } else if (said.say != BH_PASS) {
      return bh_status_of(said.say);
    }
  }
  return carry_out(open);
}

static NTSTATUS opening(struct bh_open *open, bool write, bool erase) {
  struct bh_room *room = bh_room_take();
  if (room == NULL) return BH_NO_MEMORY;
  const NTSTATUS status = open_in(room, open, write, erase);
  bh_room_give(room);
  return status;
}

static NTSTATUS NTAPI hook_create(HANDLE *file, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes, IO_STATUS_BLOCK *io, LARGE_INTEGER *size,
                                  ULONG file_attributes, ULONG share, ULONG disposition, ULONG options, void *ea, ULONG ea_length) {
  struct bh_open open = {file, access, attributes, io, size, file_attributes, share, disposition, options, ea, ea_length};
  const bool write = bh_watched(BH_HOOK_FILE_WRITE) && writes(access, disposition);
  const bool erase = bh_watched(BH_HOOK_FILE_DELETE) && (options & FILE_DELETE_ON_CLOSE) != 0;
  if ((!write && !erase) || !bh_enter()) return carry_out(&open);
  const NTSTATUS status = opening(&open, write, erase);
  bh_leave();
  return status;
}

static NTSTATUS NTAPI hook_open(HANDLE *file, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes, IO_STATUS_BLOCK *io, ULONG share,
                                ULONG options) {
  const bool write = bh_watched(BH_HOOK_FILE_WRITE) && writes(access, FILE_OPEN);
  const bool erase = bh_watched(BH_HOOK_FILE_DELETE) && (options & FILE_DELETE_ON_CLOSE) != 0;
  if ((!write && !erase) || !bh_enter()) return real_open(file, access, attributes, io, share, options);
  struct bh_open open = {file, access, attributes, io, NULL, 0, share, FILE_OPEN, options, NULL, 0};
  const NTSTATUS status = opening(&open, write, erase);
  bh_leave();
  return status;
}

static NTSTATUS delete_in(struct bh_room *room, OBJECT_ATTRIBUTES *attributes) {
  struct bh_named named;
  struct bh_object object;
  struct bh_said said = bh_judge_unreadable(BH_HOOK_FILE_DELETE);
  if (bh_named_copy(room, attributes, &named)) {
    said = bh_ask_rules(room, BH_HOOK_FILE_DELETE, bh_object_file(room, &named, FILE_OPEN_REPARSE_POINT, &object), &object);
    attributes = &named.attributes;
  }
  return said.say == BH_PASS ? real_delete(attributes) : bh_status_of(said.say);
}

static NTSTATUS NTAPI hook_delete(OBJECT_ATTRIBUTES *attributes) {
  if (!bh_watched(BH_HOOK_FILE_DELETE) || !bh_enter()) return real_delete(attributes);
  struct bh_room *room = bh_room_take();
  const NTSTATUS status = room == NULL ? BH_NO_MEMORY : delete_in(room, attributes);
  if (room != NULL) bh_room_give(room);
  bh_leave();
  return status;
}

#define OPENING (BH_BIT(BH_HOOK_FILE_WRITE) | BH_BIT(BH_HOOK_FILE_DELETE))

const struct bh_stub bh_file_stubs[] = {
    {"NtCreateFile", (void *)hook_create, (void **)&real_create, OPENING, false},
    {"NtOpenFile", (void *)hook_open, (void **)&real_open, OPENING, false},
    {"NtDeleteFile", (void *)hook_delete, (void **)&real_delete, BH_BIT(BH_HOOK_FILE_DELETE), false},
};
const size_t bh_file_stub_count = sizeof(bh_file_stubs) / sizeof(bh_file_stubs[0]);
