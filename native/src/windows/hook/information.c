#include "../hook-proof.h"
#include "hooks.h"

static NTSTATUS(NTAPI *real_set)(HANDLE, IO_STATUS_BLOCK *, void *, ULONG, int);
static NTSTATUS(NTAPI *real_secure)(HANDLE, ULONG, void *);

static struct bh_said ask_handle(struct bh_room *room, unsigned act, HANDLE file) {
  struct bh_object object;
  if (!bh_watched(act)) return (struct bh_said){.say = BH_PASS};
  return bh_ask_rules(room, act, bh_object_file_handle(room, file, &object), &object);
}

static NTSTATUS pretend(IO_STATUS_BLOCK *io) {
  const IO_STATUS_BLOCK done = {{BH_SUCCESS}, 0};
  return bh_copy_out(io, &done, sizeof(done)) ? BH_SUCCESS : BH_ACCESS_VIOLATION;
}

struct call {
  HANDLE file;
  IO_STATUS_BLOCK *io;
  void *information;
  ULONG length;
  int kind;
};

static NTSTATUS carry_out(const struct call *c) { return real_set(c->file, c->io, c->information, c->length, c->kind); }

static NTSTATUS answer(const struct call *call, struct bh_said said) {
  if (said.say == BH_PASS) return carry_out(call);
  return said.say == BH_EMULATE ? pretend(call->io) : bh_status_of(said.say);
}

#define NAME_AT offsetof(struct bh_rename, name)

/* The destination of a rename becomes `target`, a DOS path of the policy. */
static NTSTATUS elsewhere(struct bh_room *room, const struct call *call, struct bh_rename *own, struct bh_text16 target) {
  struct call moved = *call;
  const UNICODE_STRING name = bh_native_of(room->named, target);
  memcpy(own->name, name.Buffer, name.Length);
  own->root = NULL;
  own->length = name.Length;
  moved.length = (ULONG)NAME_AT + name.Length;
  return carry_out(&moved);
}

/*
 * A rename takes a name away and makes another; a link gives a file another name, under which it could then be written. Both ends are
 * judged, and what is replaced counts as written. The caller's structure is copied once, and the copy is what the system gets.
 */
static NTSTATUS renaming(struct bh_room *room, struct call *call, bool link) {
  struct bh_rename *own = (struct bh_rename *)(void *)room->copy;
  struct bh_object object;
  const unsigned first = link ? BH_HOOK_FILE_WRITE : BH_HOOK_FILE_RENAME;
  if (call->length < NAME_AT || call->length > sizeof(room->copy) - 1024 || !bh_copy_in(own, call->information, call->length) ||
      own->length > call->length - NAME_AT) {
    return carry_out(call); /* the system refuses it */
  }
  call->information = own;
  struct bh_said said = ask_handle(room, first, call->file);
  if (said.say == BH_REDIRECT) said.say = BH_DENY;
  if (said.say != BH_PASS) return answer(call, said);

  const struct bh_text16 name = {(const uint16_t *)own->name, own->length / (uint32_t)sizeof(WCHAR)};
  const unsigned acts[2] = {first, BH_HOOK_FILE_WRITE};
  for (int i = 0; i < (link ? 1 : 2); i++) {
    if (!bh_watched(acts[i])) continue;
    said = bh_ask_rules(room, acts[i], bh_object_destination(room, call->file, own->root, name, &object), &object);
    if (said.say == BH_REDIRECT) return elsewhere(room, call, own, said.target);
    if (said.say != BH_PASS) return answer(call, said);
  }
  return carry_out(call);
}

/* Whether the call deletes, and what it is about otherwise. */
enum about { NOTHING, DELETING, RENAMING, LINKING, CHANGING };

static enum about about(int kind, const void *information, ULONG length) {
  ULONG flags = 0;
  struct bh_basic basic;
  switch (kind) {
    case BH_FILE_DISPOSITION: return length >= 1 && bh_copy_in(&flags, information, 1) && flags != 0 ? DELETING : NOTHING;
    case BH_FILE_DISPOSITION_EX:
      return length >= sizeof(flags) && bh_copy_in(&flags, information, sizeof(flags)) && (flags & 1) != 0 ? DELETING : NOTHING;
    case BH_FILE_RENAME:
    case BH_FILE_RENAME_NO_CHECK:
    case BH_FILE_RENAME_EX:
    case BH_FILE_RENAME_EX_NO_CHECK: return RENAMING;
    case BH_FILE_LINK:
    case BH_FILE_LINK_NO_CHECK:
    case BH_FILE_LINK_EX:
    case BH_FILE_LINK_EX_NO_CHECK: return LINKING;
    /* Setting times alone (attributes 0) is no change of mode. */
    case BH_FILE_BASIC:
      return length >= sizeof(basic) && bh_copy_in(&basic, information, sizeof(basic)) && basic.attributes != 0 ? CHANGING : NOTHING;
    default: return NOTHING;
  }
}

static bool is_short(int kind) { return kind == BH_FILE_DISPOSITION || kind == BH_FILE_DISPOSITION_EX || kind == BH_FILE_BASIC; }

static bool concerns(enum about what) {
  switch (what) {
    case DELETING: return bh_watched(BH_HOOK_FILE_DELETE);
    case RENAMING: return bh_watched(BH_HOOK_FILE_RENAME) || bh_watched(BH_HOOK_FILE_WRITE);
    case LINKING: return bh_watched(BH_HOOK_FILE_WRITE);
    case CHANGING: return bh_watched(BH_HOOK_FILE_CHMOD);
    default: return false;
  }
}

/* While rules sleep: the proof is in the times (hook-proof.h). */
static bool is_proof(enum about what, const struct call *call) {
  struct bh_basic basic;
  if (what != CHANGING || !bh_is_held() || !bh_copy_in(&basic, call->information, sizeof(basic))) return false;
  for (int i = 0; i < 4; i++) {
    if (basic.times[i].QuadPart == BH_HOOK_PROOF_TIME) return true;
  }
  return false;
}

/* Short structures are copied before they are looked at, and the copy is what the system gets. */
#define SHORT 64

static NTSTATUS NTAPI hook_set(HANDLE file, IO_STATUS_BLOCK *io, void *information, ULONG length, int kind) {
  uint64_t own[SHORT / sizeof(uint64_t)];
  struct call call = {file, io, information, length, kind};
  const bool copied = is_short(kind) && length <= SHORT && bh_copy_in(own, information, length);
  const enum about what = about(kind, copied ? (void *)own : information, length);
  if (copied) call.information = own;
  if (!concerns(what) || !bh_enter()) return carry_out(&call);
  struct bh_room *room = bh_room_take();
  NTSTATUS status = BH_NO_MEMORY;
  if (is_proof(what, &call)) {
    bh_proven();
    status = BH_ACCESS_DENIED;
  } else if (room != NULL) {
    if (what == RENAMING || what == LINKING) {
      status = renaming(room, &call, what == LINKING);
    } else {
      status = answer(&call, ask_handle(room, what == DELETING ? BH_HOOK_FILE_DELETE : BH_HOOK_FILE_CHMOD, file));
    }
  }
  if (room != NULL) bh_room_give(room);
  bh_leave();
  return status;
}

static struct bh_said ask_security(struct bh_room *room, HANDLE handle) {
  struct bh_object object;
  if (bh_watched(BH_HOOK_FILE_CHMOD) && bh_object_is(handle, "File")) return ask_handle(room, BH_HOOK_FILE_CHMOD, handle);
  if (!bh_watched(BH_HOOK_REGISTRY_WRITE) || !bh_object_is(handle, "Key")) return (struct bh_said){.say = BH_PASS};
  return bh_ask_rules(room, BH_HOOK_REGISTRY_WRITE, bh_object_key_handle(room, handle, NULL, &object), &object);
}

static NTSTATUS NTAPI hook_secure(HANDLE handle, ULONG parts, void *descriptor) {
  if ((!bh_watched(BH_HOOK_FILE_CHMOD) && !bh_watched(BH_HOOK_REGISTRY_WRITE)) || !bh_enter()) return real_secure(handle, parts, descriptor);
  struct bh_room *room = bh_room_take();
  NTSTATUS status = BH_NO_MEMORY;
  if (room != NULL) {
    const struct bh_said said = ask_security(room, handle);
    bh_room_give(room);
    status = said.say == BH_PASS ? real_secure(handle, parts, descriptor) : bh_status_of(said.say);
  }
  bh_leave();
  return status;
}

#define FILES (BH_BIT(BH_HOOK_FILE_WRITE) | BH_BIT(BH_HOOK_FILE_DELETE) | BH_BIT(BH_HOOK_FILE_RENAME) | BH_BIT(BH_HOOK_FILE_CHMOD))

const struct bh_stub bh_information_stubs[] = {
    {"NtSetInformationFile", (void *)hook_set, (void **)&real_set, FILES, false},
    {"NtSetSecurityObject", (void *)hook_secure, (void **)&real_secure, BH_BIT(BH_HOOK_FILE_CHMOD) | BH_BIT(BH_HOOK_REGISTRY_WRITE), false},
};
const size_t bh_information_stub_count = sizeof(bh_information_stubs) / sizeof(bh_information_stubs[0]);
