/* Changes to the machine itself. Objects: the key of a driver or hive, otherwise one of the words below. */
#include "hooks.h"

static NTSTATUS(NTAPI *real_load_driver)(UNICODE_STRING *);
static NTSTATUS(NTAPI *real_unload_driver)(UNICODE_STRING *);
static NTSTATUS(NTAPI *real_time)(LARGE_INTEGER *, LARGE_INTEGER *);
static NTSTATUS(NTAPI *real_shutdown)(ULONG);
static NTSTATUS(NTAPI *real_information)(int, void *, ULONG);
static NTSTATUS(NTAPI *real_power)(ULONG, ULONG, ULONG, BOOLEAN);
static NTSTATUS(NTAPI *real_power_state)(ULONG, ULONG, ULONG);
static NTSTATUS(NTAPI *real_load_key)(OBJECT_ATTRIBUTES *, OBJECT_ATTRIBUTES *);
static NTSTATUS(NTAPI *real_load_key2)(OBJECT_ATTRIBUTES *, OBJECT_ATTRIBUTES *, ULONG);
static NTSTATUS(NTAPI *real_load_key_ex)(OBJECT_ATTRIBUTES *, OBJECT_ATTRIBUTES *, ULONG, HANDLE, HANDLE, ACCESS_MASK, HANDLE *, void *);
static NTSTATUS(NTAPI *real_unload_key)(OBJECT_ATTRIBUTES *);
static NTSTATUS(NTAPI *real_replace_key)(OBJECT_ATTRIBUTES *, HANDLE, OBJECT_ATTRIBUTES *);
static NTSTATUS(NTAPI *real_variable)(UNICODE_STRING *, void *, void *, ULONG, ULONG);

static enum bh_say ask_word(const wchar_t *word) {
  struct bh_object object;
  struct bh_room *room = bh_room_take();
  if (room == NULL) return BH_DENY;
  bh_object_word(word, &object);
  const struct bh_said said = bh_judge(room, BH_HOOK_SYSTEM_CHANGE, &object);
  bh_room_give(room);
  return said.say;
}

static enum bh_say ask_key(const OBJECT_ATTRIBUTES *attributes) {
  struct bh_named named;
  struct bh_object object;
  struct bh_room *room = bh_room_take();
  if (room == NULL) return BH_DENY;
  const bool copied = bh_named_copy(room, attributes, &named);
  const enum bh_found found = copied ? bh_object_key(room, &named, &object) : BH_UNREADABLE;
  const struct bh_said said = bh_ask_rules(room, BH_HOOK_SYSTEM_CHANGE, found, &object);
  bh_room_give(room);
  return said.say;
}

static enum bh_say ask_name(UNICODE_STRING *name) {
  OBJECT_ATTRIBUTES attributes;
  InitializeObjectAttributes(&attributes, name, OBJ_CASE_INSENSITIVE, NULL, NULL);
  return ask_key(&attributes);
}

/* Runs `call` when the rules let it pass, between entering the hook and leaving it. */
#define JUDGED(ask, call)                                               \
  if (!bh_enter()) return call;                                         \
  const enum bh_say say = ask;                                          \
  const NTSTATUS status = say == BH_PASS ? call : bh_status_of(say);    \
  bh_leave();                                                           \
  return status

static NTSTATUS NTAPI hook_load_driver(UNICODE_STRING *name) { JUDGED(ask_name(name), real_load_driver(name)); }
static NTSTATUS NTAPI hook_unload_driver(UNICODE_STRING *name) { JUDGED(ask_name(name), real_unload_driver(name)); }
static NTSTATUS NTAPI hook_time(LARGE_INTEGER *now, LARGE_INTEGER *before) { JUDGED(ask_word(L"time"), real_time(now, before)); }
static NTSTATUS NTAPI hook_shutdown(ULONG action) { JUDGED(ask_word(L"shutdown"), real_shutdown(action)); }
static NTSTATUS NTAPI hook_information(int kind, void *information, ULONG length) {
  JUDGED(ask_word(L"information"), real_information(kind, information, length));
}
static NTSTATUS NTAPI hook_power(ULONG action, ULONG state, ULONG flags, BOOLEAN later) {
  JUDGED(ask_word(L"power"), real_power(action, state, flags, later));
}
static NTSTATUS NTAPI hook_power_state(ULONG action, ULONG state, ULONG flags) {
  JUDGED(ask_word(L"power"), real_power_state(action, state, flags));
}
static NTSTATUS NTAPI hook_load_key(OBJECT_ATTRIBUTES *key, OBJECT_ATTRIBUTES *file) { JUDGED(ask_key(key), real_load_key(key, file)); }
static NTSTATUS NTAPI hook_load_key2(OBJECT_ATTRIBUTES *key, OBJECT_ATTRIBUTES *file, ULONG flags) {
  JUDGED(ask_key(key), real_load_key2(key, file, flags));
}
static NTSTATUS NTAPI hook_load_key_ex(OBJECT_ATTRIBUTES *key, OBJECT_ATTRIBUTES *file, ULONG flags, HANDLE trust, HANDLE event,
                                       ACCESS_MASK access, HANDLE *root, void *io) {
  JUDGED(ask_key(key), real_load_key_ex(key, file, flags, trust, event, access, root, io));
}
static NTSTATUS NTAPI hook_unload_key(OBJECT_ATTRIBUTES *key) { JUDGED(ask_key(key), real_unload_key(key)); }
static NTSTATUS NTAPI hook_replace_key(OBJECT_ATTRIBUTES *fresh, HANDLE key, OBJECT_ATTRIBUTES *old) {
  JUDGED(ask_word(L"hive"), real_replace_key(fresh, key, old));
}
static NTSTATUS NTAPI hook_variable(UNICODE_STRING *name, void *vendor, void *value, ULONG length, ULONG attributes) {
  JUDGED(ask_word(L"firmware"), real_variable(name, vendor, value, length, attributes));
}

#define CHANGE BH_BIT(BH_HOOK_SYSTEM_CHANGE)

const struct bh_stub bh_system_stubs[] = {
    {"NtLoadDriver", (void *)hook_load_driver, (void **)&real_load_driver, CHANGE, false},
    {"NtUnloadDriver", (void *)hook_unload_driver, (void **)&real_unload_driver, CHANGE, false},
    {"NtSetSystemTime", (void *)hook_time, (void **)&real_time, CHANGE, false},
    {"NtShutdownSystem", (void *)hook_shutdown, (void **)&real_shutdown, CHANGE, false},
    {"NtSetSystemInformation", (void *)hook_information, (void **)&real_information, CHANGE, false},
    {"NtInitiatePowerAction", (void *)hook_power, (void **)&real_power, CHANGE, false},
    {"NtSetSystemPowerState", (void *)hook_power_state, (void **)&real_power_state, CHANGE, true},
    {"NtLoadKey", (void *)hook_load_key, (void **)&real_load_key, CHANGE, false},
    {"NtLoadKey2", (void *)hook_load_key2, (void **)&real_load_key2, CHANGE, false},
    {"NtLoadKeyEx", (void *)hook_load_key_ex, (void **)&real_load_key_ex, CHANGE, true},
    {"NtUnloadKey", (void *)hook_unload_key, (void **)&real_unload_key, CHANGE, false},
    {"NtReplaceKey", (void *)hook_replace_key, (void **)&real_replace_key, CHANGE, false},
    {"NtSetSystemEnvironmentValueEx", (void *)hook_variable, (void **)&real_variable, CHANGE, true},
};
const size_t bh_system_stub_count = sizeof(bh_system_stubs) / sizeof(bh_system_stubs[0]);
