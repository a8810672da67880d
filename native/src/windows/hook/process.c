#include "../hook-policy.h"
#include "hooks.h"
#include "shape.h"

/* PEB of x64 (winternl.h: Ldr). */
#define PEB_MODULES 0x18

static const struct bh_hook_policy *policy;
static const struct bh_blob *blob;
static HMODULE own_module;
static wchar_t dll[BH_HOOK_TEXT_MAX + 1];

static NTSTATUS(NTAPI *real_create_process)(HANDLE *, HANDLE *, ACCESS_MASK, ACCESS_MASK, OBJECT_ATTRIBUTES *, OBJECT_ATTRIBUTES *, ULONG, ULONG,
                                            void *, void *, struct bh_ps_attributes *);
static NTSTATUS(NTAPI *real_create_process_ex)(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, HANDLE, ULONG, HANDLE, HANDLE, HANDLE, ULONG);
static NTSTATUS(NTAPI *real_create_process_old)(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, HANDLE, BOOLEAN, HANDLE, HANDLE, HANDLE);
static NTSTATUS(NTAPI *real_resume)(HANDLE, ULONG *);
static NTSTATUS(NTAPI *real_alert_resume)(HANDLE, ULONG *);
static NTSTATUS(NTAPI *real_resume_process)(HANDLE);

void bh_process_start(const struct bh_hook_policy *given, const struct bh_blob *given_blob, HMODULE module) {
  policy = given;
  blob = given_blob;
  own_module = module;
  memcpy(dll, given->dll.units, given->dll.length * sizeof(wchar_t));
  dll[given->dll.length] = 0;
}

/* Ends a child that must not run unwatched, and says so. */
static void refuse(struct bh_room *room, HANDLE process) {
  struct bh_object object;
  bh_object_process(room, process, &object);
  bh_judge_report(room, BH_HOOK_PROCESS_EXEC, BH_HOOK_DENY, object.real);
  TerminateProcess(process, BH_HOOK_EXIT_INJECT);
}

/* True when the hook is in the process: a stub that every hooked process has changed. */
static bool is_watched(HANDLE process) {
  uint8_t code[BH_STUB_MARK];
  SIZE_T got = 0;
  return ReadProcessMemory(process, bh_stub_marker(), code, sizeof(code), &got) && got == sizeof(code) && bh_stub_is_changed(code);
}

/* True when no thread of the process has run yet: the loader has not begun its list of modules. Also when that cannot be found out. */
static bool is_new(HANDLE process) {
  struct bh_process_basic basic;
  ULONG needed;
  SIZE_T got = 0;
  void *modules = NULL;
  if (!BH_NT_OK(NtQueryInformationProcess(process, (PROCESSINFOCLASS)BH_PROCESS_BASIC, &basic, sizeof(basic), &needed))) return true;
  const void *at = (const uint8_t *)basic.peb + PEB_MODULES;
  return !ReadProcessMemory(process, at, &modules, sizeof(modules), &got) || got != sizeof(modules) || modules == NULL;
}

/* Brings the hook into a child that has not run yet. False: it was ended. */
static bool watch(struct bh_room *room, HANDLE process, HANDLE thread) {
  const char *step;
  if (is_watched(process)) return true;
  if (bh_process_is_foreign(process)) {
    struct bh_object object;
    if (!policy->report_wow64) {
      refuse(room, process);
      return false;
    }
    bh_object_process(room, process, &object);
    bh_judge_report(room, BH_HOOK_PROCESS_EXEC, BH_HOOK_ALLOW, object.real);
    return true;
  }
  if (thread != NULL && bh_inject_from(own_module, process, thread, dll, blob, &step) == 0) return true;
  refuse(room, process);
  return false;
}

/*
 * Children that were made and have not run: handles of our own, because neither what a program says about who may open its child nor what
 * it may do with its own handles binds us.
 */
#define CHILDREN 64
static struct {
  volatile LONG pid;
  HANDLE process, thread;
} children[CHILDREN];
static volatile LONG next_child;

static void forget(HANDLE process, HANDLE thread) {
  CloseHandle(process);
  if (thread != NULL) CloseHandle(thread);
}

static void remember(HANDLE process, HANDLE thread) {
  const size_t i = (size_t)InterlockedIncrement(&next_child) % CHILDREN;
  HANDLE own_process, own_thread;
  const HANDLE self = GetCurrentProcess();
  if (!DuplicateHandle(self, process, self, &own_process, 0, FALSE, DUPLICATE_SAME_ACCESS)) return;
  if (!DuplicateHandle(self, thread, self, &own_thread, 0, FALSE, DUPLICATE_SAME_ACCESS)) own_thread = NULL;
  if (InterlockedExchange(&children[i].pid, 0) != 0) forget(children[i].process, children[i].thread);
  children[i].process = own_process;
  children[i].thread = own_thread;
  InterlockedExchange(&children[i].pid, (LONG)GetProcessId(process));
}

/* Hands the handles over; false when it is no child of ours, or ran before. */
static bool recall(DWORD pid, HANDLE *process, HANDLE *thread) {
  for (size_t i = 0; i < CHILDREN; i++) {
    if (InterlockedCompareExchange(&children[i].pid, 0, (LONG)pid) != (LONG)pid) continue;
    *process = children[i].process;
    *thread = children[i].thread;
    return true;
  }
  return false;
}

/*
 * A new process is entered when its first thread is about to run, not when it is made: CreateProcess introduces it to the subsystem in
 * between, and no thread of it may run before. Only a caller that makes a process running from the start (which CreateProcess never does)
 * leaves no other moment than at once. `thread` is the one that is to run; NULL where the whole process is.
 */
static bool may_resume(DWORD pid, HANDLE thread) {
  HANDLE process, own_thread = NULL;
  if (pid == 0 || pid == GetCurrentProcessId()) return true;
  const bool child = recall(pid, &process, &own_thread);
  if (!child) {
    const DWORD access = PROCESS_DUP_HANDLE | PROCESS_QUERY_INFORMATION | PROCESS_VM_OPERATION | PROCESS_VM_READ | PROCESS_VM_WRITE |
                         PROCESS_TERMINATE | SYNCHRONIZE;
    process = OpenProcess(access, FALSE, pid);
    /* Somebody else's process, which the hook cannot enter and this program did not make. */
    if (process == NULL) return true;
  }
  bool may = true;
  if (child || is_new(process)) {
    struct bh_room *room = bh_room_take();
    may = room != NULL && watch(room, process, own_thread != NULL ? own_thread : thread);
    if (room != NULL) bh_room_give(room);
  }
  forget(process, own_thread);
  return may;
}

static DWORD process_of_thread(HANDLE thread) {
  struct bh_thread_basic basic;
  ULONG needed;
  if (BH_NT_OK(NtQueryInformationThread(thread, (THREADINFOCLASS)BH_THREAD_BASIC, &basic, sizeof(basic), &needed))) return (DWORD)(uintptr_t)basic.process;
  HANDLE better;
  DWORD pid = 0;
  const HANDLE self = GetCurrentProcess();
  if (!DuplicateHandle(self, thread, self, &better, THREAD_QUERY_LIMITED_INFORMATION, FALSE, 0)) return 0;
  if (BH_NT_OK(NtQueryInformationThread(better, (THREADINFOCLASS)BH_THREAD_BASIC, &basic, sizeof(basic), &needed))) pid = (DWORD)(uintptr_t)basic.process;
  CloseHandle(better);
  return pid;
}

static bool may_resume_thread(HANDLE thread) { return may_resume(process_of_thread(thread), thread); }

static NTSTATUS NTAPI hook_resume(HANDLE thread, ULONG *count) {
  if (!bh_enter()) return real_resume(thread, count);
  const NTSTATUS status = may_resume_thread(thread) ? real_resume(thread, count) : BH_ACCESS_DENIED;
  bh_leave();
  return status;
}

static NTSTATUS NTAPI hook_alert_resume(HANDLE thread, ULONG *count) {
  if (!bh_enter()) return real_alert_resume(thread, count);
  const NTSTATUS status = may_resume_thread(thread) ? real_alert_resume(thread, count) : BH_ACCESS_DENIED;
  bh_leave();
  return status;
}

static NTSTATUS NTAPI hook_resume_process(HANDLE process) {
  if (!bh_enter()) return real_resume_process(process);
  const NTSTATUS status = may_resume(GetProcessId(process), NULL) ? real_resume_process(process) : BH_ACCESS_DENIED;
  bh_leave();
  return status;
}

#define ATTRIBUTES 32

struct creation {
  HANDLE *process, *thread;
  ACCESS_MASK process_access, thread_access;
  OBJECT_ATTRIBUTES *process_attributes, *thread_attributes;
  ULONG process_flags, thread_flags;
  void *parameters, *info;
  struct bh_ps_attributes *attributes;
};

static NTSTATUS carry_out(const struct creation *c) {
  return real_create_process(c->process, c->thread, c->process_access, c->thread_access, c->process_attributes, c->thread_attributes,
                             c->process_flags, c->thread_flags, c->parameters, c->info, c->attributes);
}

/*
 * Our copy of the caller's attribute list, with the image's name in room->copy; *image is NULL when it names none, as when a process clones
 * itself. False: it cannot be read.
 */
static bool find_image(struct bh_room *room, const struct creation *c, struct bh_ps_attributes *own, size_t size,
                       struct bh_ps_attribute **image) {
  SIZE_T total = 0;
  *image = NULL;
  if (c->attributes == NULL) return true;
  if (!bh_copy_in(&total, c->attributes, sizeof(total)) || total > size || total < sizeof(SIZE_T) || !bh_copy_in(own, c->attributes, total)) {
    return false;
  }
  const size_t count = (total - sizeof(SIZE_T)) / sizeof(struct bh_ps_attribute);
  for (size_t i = 0; i < count && *image == NULL; i++) {
    if (own->list[i].attribute == BH_PS_IMAGE_NAME) *image = &own->list[i];
  }
  if (*image == NULL) return true;
  if ((*image)->size > (BH_PATH_MAX - 1) * sizeof(uint16_t) || !bh_copy_in(room->copy, (*image)->pointer, (*image)->size)) return false;
  (*image)->pointer = room->copy;
  return true;
}

/* Asks the rules; changes the copy for a redirect. */
static struct bh_said ask_image(struct bh_room *room, struct bh_ps_attribute *image) {
  struct bh_object object;
  struct bh_named named;
  bh_named_make(&named, NULL, (struct bh_text16){image->pointer, (uint32_t)(image->size / sizeof(uint16_t))});
  struct bh_said said = bh_ask_rules(room, BH_HOOK_PROCESS_EXEC, bh_object_file(room, &named, 0, &object), &object);
  if (said.say == BH_REDIRECT) {
    const UNICODE_STRING target = bh_native_of(room->copy, said.target);
    image->pointer = target.Buffer;
    image->size = target.Length;
    said.say = BH_PASS;
  }
  return said;
}

static NTSTATUS create_in(struct bh_room *room, struct creation *c) {
  union {
    struct bh_ps_attributes list;
    uint8_t bytes[sizeof(SIZE_T) + ATTRIBUTES * sizeof(struct bh_ps_attribute)];
  } own;
  struct bh_ps_attribute *image;
  if (!find_image(room, c, &own.list, sizeof(own), &image)) {
    if (bh_judge_unreadable(BH_HOOK_PROCESS_EXEC).say != BH_PASS) return BH_ACCESS_DENIED;
  } else if (image != NULL) {
    c->attributes = &own.list;
    if (bh_watched(BH_HOOK_PROCESS_EXEC)) {
      const struct bh_said said = ask_image(room, image);
      if (said.say != BH_PASS) return said.say == BH_EMULATE ? BH_ACCESS_DENIED : bh_status_of(said.say);
    }
  }
  const bool at_once = (c->thread_flags & BH_THREAD_CREATE_SUSPENDED) == 0;
  c->thread_flags |= BH_THREAD_CREATE_SUSPENDED;
  c->process_access |= PROCESS_DUP_HANDLE | PROCESS_QUERY_INFORMATION | PROCESS_VM_OPERATION | PROCESS_VM_READ | PROCESS_VM_WRITE |
                       PROCESS_TERMINATE | SYNCHRONIZE;
  c->thread_access |= THREAD_SET_CONTEXT | THREAD_SUSPEND_RESUME | THREAD_QUERY_LIMITED_INFORMATION;
  const NTSTATUS status = carry_out(c);
  if (!BH_NT_OK(status)) return status;
  const bool foreign = bh_process_is_foreign(*c->process);
  /* A clone has the hook already, with the rest of the memory. */
  if ((!foreign || policy->report_wow64) && (!at_once || watch(room, *c->process, *c->thread))) {
    if (at_once) {
      real_resume(*c->thread, NULL);
    } else {
      remember(*c->process, *c->thread);
    }
    return status;
  }
  if (foreign) refuse(room, *c->process);
  NtClose(*c->thread);
  NtClose(*c->process);
  return BH_ACCESS_DENIED;
}

static NTSTATUS NTAPI hook_create_process(HANDLE *process, HANDLE *thread, ACCESS_MASK process_access, ACCESS_MASK thread_access,
                                          OBJECT_ATTRIBUTES *process_attributes, OBJECT_ATTRIBUTES *thread_attributes, ULONG process_flags,
                                          ULONG thread_flags, void *parameters, void *info, struct bh_ps_attributes *attributes) {
  struct creation creation = {process,       thread,       process_access, thread_access, process_attributes, thread_attributes,
                              process_flags, thread_flags, parameters,     info,          attributes};
  if (!bh_enter()) return carry_out(&creation);
  struct bh_room *room = bh_room_take();
  const NTSTATUS status = room == NULL ? BH_NO_MEMORY : create_in(room, &creation);
  if (room != NULL) bh_room_give(room);
  bh_leave();
  return status;
}

/* The old way, from a section: its threads would be made one by one, past every point where the hook can enter. Cloning needs no section. */
static NTSTATUS NTAPI hook_create_process_ex(HANDLE *process, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes, HANDLE parent, ULONG flags,
                                             HANDLE section, HANDLE debug, HANDLE token, ULONG reserved) {
  if (section != NULL) return BH_ACCESS_DENIED;
  return real_create_process_ex(process, access, attributes, parent, flags, section, debug, token, reserved);
}

static NTSTATUS NTAPI hook_create_process_old(HANDLE *process, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes, HANDLE parent, BOOLEAN inherit,
                                              HANDLE section, HANDLE debug, HANDLE token) {
  if (section != NULL) return BH_ACCESS_DENIED;
  return real_create_process_old(process, access, attributes, parent, inherit, section, debug, token);
}

const struct bh_stub bh_process_stubs[] = {
    {"NtCreateUserProcess", (void *)hook_create_process, (void **)&real_create_process, 0, false},
    {"NtCreateProcessEx", (void *)hook_create_process_ex, (void **)&real_create_process_ex, 0, true},
    {"NtCreateProcess", (void *)hook_create_process_old, (void **)&real_create_process_old, 0, true},
    {"NtResumeThread", (void *)hook_resume, (void **)&real_resume, 0, false},
    {"NtAlertResumeThread", (void *)hook_alert_resume, (void **)&real_alert_resume, 0, true},
    {"NtResumeProcess", (void *)hook_resume_process, (void **)&real_resume_process, 0, true},
};
const size_t bh_process_stub_count = sizeof(bh_process_stubs) / sizeof(bh_process_stubs[0]);
