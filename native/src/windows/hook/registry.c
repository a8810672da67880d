#include "hooks.h"

static NTSTATUS(NTAPI *real_create)(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, ULONG, UNICODE_STRING *, ULONG, ULONG *);
static NTSTATUS(NTAPI *real_create_in)(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, ULONG, UNICODE_STRING *, ULONG, HANDLE, ULONG *);
static NTSTATUS(NTAPI *real_open)(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *);
static NTSTATUS(NTAPI *real_open_ex)(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, ULONG);
static NTSTATUS(NTAPI *real_set)(HANDLE, UNICODE_STRING *, ULONG, ULONG, void *, ULONG);
static NTSTATUS(NTAPI *real_delete)(HANDLE);
static NTSTATUS(NTAPI *real_delete_value)(HANDLE, UNICODE_STRING *);
static NTSTATUS(NTAPI *real_rename)(HANDLE, UNICODE_STRING *);
static NTSTATUS(NTAPI *real_restore)(HANDLE, HANDLE, ULONG);

/*
 * Rules are asked when something is written or deleted, so that a program which opens a key for everything and then reads is left alone. Who
 * asks for these rights in particular is refused at once where a rule denies, as an access list would do it.
 */
static struct bh_said ask_beginning(struct bh_room *room, ACCESS_MASK access, const OBJECT_ATTRIBUTES *attributes, bool making) {
  struct bh_named named;
  struct bh_object object;
  const bool writing = making || (access & (KEY_SET_VALUE | KEY_CREATE_SUB_KEY | GENERIC_WRITE)) != 0;
  const bool erasing = (access & DELETE) != 0;
  struct bh_said said = {.say = BH_PASS};
  if (!bh_named_copy(room, attributes, &named) || bh_object_key(room, &named, &object) != BH_FOUND) return said;
  if (writing && making) {
    said = bh_judge(room, BH_HOOK_REGISTRY_WRITE, &object);
  } else if (writing) {
    said = bh_judge_beginning(room, BH_HOOK_REGISTRY_WRITE, &object);
  }
  if (said.say == BH_PASS && erasing) said = bh_judge_beginning(room, BH_HOOK_REGISTRY_DELETE, &object);
  return said;
}

static enum bh_say beginning(ACCESS_MASK access, const OBJECT_ATTRIBUTES *attributes, bool making) {
  struct bh_room *room = bh_room_take();
  if (room == NULL) return BH_DENY;
  const struct bh_said said = ask_beginning(room, access, attributes, making);
  bh_room_give(room);
  return said.say;
}

static bool asks_to_change(ACCESS_MASK access) { return (access & (KEY_SET_VALUE | KEY_CREATE_SUB_KEY | GENERIC_WRITE | DELETE)) != 0; }

static NTSTATUS NTAPI hook_open(HANDLE *key, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes) {
  if (!asks_to_change(access) || !bh_enter()) return real_open(key, access, attributes);
  const enum bh_say say = beginning(access, attributes, false);
  const NTSTATUS status = say == BH_PASS ? real_open(key, access, attributes) : bh_status_of(say);
  bh_leave();
  return status;
}

static NTSTATUS NTAPI hook_open_ex(HANDLE *key, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes, ULONG options) {
  if (!asks_to_change(access) || !bh_enter()) return real_open_ex(key, access, attributes, options);
  const enum bh_say say = beginning(access, attributes, false);
  const NTSTATUS status = say == BH_PASS ? real_open_ex(key, access, attributes, options) : bh_status_of(say);
  bh_leave();
  return status;
}

static bool exists(const OBJECT_ATTRIBUTES *attributes) {
  HANDLE key;
  OBJECT_ATTRIBUTES own;
  if (!bh_copy_in(&own, attributes, sizeof(own))) return true; /* the system refuses it */
  own.Attributes &= ~(ULONG)OBJ_INHERIT;
  const NTSTATUS status = real_open(&key, KEY_QUERY_VALUE, &own);
  if (BH_NT_OK(status)) NtClose(key);
  return status != BH_NAME_NOT_FOUND;
}

/*
 * Keys that were only pretended to be made: handles to the nearest key that exists, without the right to change it. What is then set through
 * them is pretended too. A number may have been closed and given to another key since; that one can be told by its rights.
 */
#define HOLLOW 64
static volatile LONG_PTR hollow[HOLLOW];
static volatile LONG next_hollow;

struct basic {
  ULONG attributes;
  ACCESS_MASK granted;
  ULONG rest[12];
};

static bool is_hollow(HANDLE key) {
  struct basic basic;
  ULONG needed;
  bool known = false;
  for (size_t i = 0; i < HOLLOW && !known; i++) known = hollow[i] == (LONG_PTR)key;
  return known && BH_NT_OK(NtQueryObject(key, (OBJECT_INFORMATION_CLASS)0, &basic, sizeof(basic), &needed)) &&
         (basic.granted & (KEY_SET_VALUE | KEY_CREATE_SUB_KEY)) == 0;
}

static NTSTATUS pretend_key(HANDLE *key, const OBJECT_ATTRIBUTES *attributes, ULONG *disposition) {
  static const ULONG made = REG_CREATED_NEW_KEY;
  UNICODE_STRING name;
  OBJECT_ATTRIBUTES own;
  HANDLE nearest;
  if (!bh_copy_in(&own, attributes, sizeof(own)) || !bh_copy_in(&name, own.ObjectName, sizeof(name))) return BH_ACCESS_VIOLATION;
  own.ObjectName = &name;
  NTSTATUS status = real_open(&nearest, KEY_READ, &own);
  while (status == BH_NAME_NOT_FOUND && name.Length > 0) {
    do {
      name.Length -= sizeof(WCHAR);
    } while (name.Length > 0 && name.Buffer[name.Length / 2] != L'\\');
    status = real_open(&nearest, KEY_READ, &own);
  }
  if (!BH_NT_OK(status)) return BH_ACCESS_DENIED;
  hollow[(size_t)InterlockedIncrement(&next_hollow) % HOLLOW] = (LONG_PTR)nearest;
  if (bh_copy_out(key, &nearest, sizeof(nearest)) && (disposition == NULL || bh_copy_out(disposition, &made, sizeof(made)))) return BH_SUCCESS;
  NtClose(nearest);
  return BH_ACCESS_VIOLATION;
}

static NTSTATUS NTAPI hook_create(HANDLE *key, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes, ULONG index, UNICODE_STRING *kind,
                                  ULONG options, ULONG *disposition) {
  if (!bh_enter()) return real_create(key, access, attributes, index, kind, options, disposition);
  const enum bh_say say = beginning(access, attributes, !exists(attributes));
  NTSTATUS status = bh_status_of(say);
  if (say == BH_EMULATE) status = pretend_key(key, attributes, disposition);
  if (say == BH_PASS) status = real_create(key, access, attributes, index, kind, options, disposition);
  bh_leave();
  return status;
}

static NTSTATUS NTAPI hook_create_in(HANDLE *key, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes, ULONG index, UNICODE_STRING *kind,
                                     ULONG options, HANDLE transaction, ULONG *disposition) {
  if (!bh_enter()) return real_create_in(key, access, attributes, index, kind, options, transaction, disposition);
  const enum bh_say say = beginning(access, attributes, !exists(attributes));
  NTSTATUS status = bh_status_of(say);
  if (say == BH_EMULATE) status = pretend_key(key, attributes, disposition);
  if (say == BH_PASS) status = real_create_in(key, access, attributes, index, kind, options, transaction, disposition);
  bh_leave();
  return status;
}

static enum bh_say ask(unsigned act, HANDLE key, const UNICODE_STRING *value) {
  struct bh_object object;
  if (!bh_watched(act)) return BH_PASS;
  if (is_hollow(key)) return BH_EMULATE;
  struct bh_room *room = bh_room_take();
  if (room == NULL) return BH_DENY;
  const struct bh_said said = bh_ask_rules(room, act, bh_object_key_handle(room, key, value, &object), &object);
  bh_room_give(room);
  return said.say;
}

static NTSTATUS NTAPI hook_set(HANDLE key, UNICODE_STRING *name, ULONG index, ULONG type, void *data, ULONG size) {
  if (!bh_enter()) return real_set(key, name, index, type, data, size);
  const enum bh_say say = ask(BH_HOOK_REGISTRY_WRITE, key, name);
  const NTSTATUS status = say == BH_PASS ? real_set(key, name, index, type, data, size) : bh_status_of(say);
  bh_leave();
  return status;
}

static NTSTATUS NTAPI hook_delete(HANDLE key) {
  if (!bh_enter()) return real_delete(key);
  const enum bh_say say = ask(BH_HOOK_REGISTRY_DELETE, key, NULL);
  const NTSTATUS status = say == BH_PASS ? real_delete(key) : bh_status_of(say);
  bh_leave();
  return status;
}

static NTSTATUS NTAPI hook_delete_value(HANDLE key, UNICODE_STRING *name) {
  if (!bh_enter()) return real_delete_value(key, name);
  const enum bh_say say = ask(BH_HOOK_REGISTRY_DELETE, key, name);
  const NTSTATUS status = say == BH_PASS ? real_delete_value(key, name) : bh_status_of(say);
  bh_leave();
  return status;
}

/* The new name lies beside the old one. */
static enum bh_say ask_rename(HANDLE key, const UNICODE_STRING *name) {
  struct bh_object object;
  struct bh_room *room = bh_room_take();
  if (room == NULL) return BH_DENY;
  struct bh_said said = bh_judge_unreadable(BH_HOOK_REGISTRY_WRITE);
  if (bh_object_key_handle(room, key, NULL, &object) == BH_FOUND) {
    said = bh_judge(room, BH_HOOK_REGISTRY_WRITE, &object);
    UNICODE_STRING own;
    uint32_t at = object.named.length;
    while (at > 0 && room->named[at - 1] != '\\') at--;
    if (said.say == BH_PASS && bh_copy_in(&own, name, sizeof(own)) && at + own.Length / 2u <= BH_PATH_MAX &&
        bh_copy_in(room->named + at, own.Buffer, own.Length)) {
      object.named = object.real = (struct bh_text16){room->named, at + own.Length / 2u};
      said = bh_judge(room, BH_HOOK_REGISTRY_WRITE, &object);
    }
  }
  bh_room_give(room);
  return said.say;
}

static NTSTATUS NTAPI hook_rename(HANDLE key, UNICODE_STRING *name) {
  if (!bh_enter()) return real_rename(key, name);
  const enum bh_say say = ask_rename(key, name);
  const NTSTATUS status = say == BH_PASS ? real_rename(key, name) : bh_status_of(say);
  bh_leave();
  return status;
}

static NTSTATUS NTAPI hook_restore(HANDLE key, HANDLE file, ULONG flags) {
  if (!bh_enter()) return real_restore(key, file, flags);
  const enum bh_say say = ask(BH_HOOK_REGISTRY_WRITE, key, NULL);
  const NTSTATUS status = say == BH_PASS ? real_restore(key, file, flags) : bh_status_of(say);
  bh_leave();
  return status;
}

#define WRITE BH_BIT(BH_HOOK_REGISTRY_WRITE)
#define ERASE BH_BIT(BH_HOOK_REGISTRY_DELETE)

const struct bh_stub bh_registry_stubs[] = {
    {"NtOpenKey", (void *)hook_open, (void **)&real_open, WRITE | ERASE, false},
    {"NtOpenKeyEx", (void *)hook_open_ex, (void **)&real_open_ex, WRITE | ERASE, false},
    {"NtCreateKey", (void *)hook_create, (void **)&real_create, WRITE | ERASE, false},
    {"NtCreateKeyTransacted", (void *)hook_create_in, (void **)&real_create_in, WRITE | ERASE, true},
    {"NtSetValueKey", (void *)hook_set, (void **)&real_set, WRITE, false},
    {"NtRenameKey", (void *)hook_rename, (void **)&real_rename, WRITE, false},
    {"NtRestoreKey", (void *)hook_restore, (void **)&real_restore, WRITE, false},
    {"NtDeleteKey", (void *)hook_delete, (void **)&real_delete, ERASE, false},
    {"NtDeleteValueKey", (void *)hook_delete_value, (void **)&real_delete_value, ERASE, false},
};
const size_t bh_registry_stub_count = sizeof(bh_registry_stubs) / sizeof(bh_registry_stubs[0]);
