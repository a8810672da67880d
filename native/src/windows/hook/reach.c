/* Reaching into other processes: opening them to look inside or change them, ending and stopping them. */
#include "hooks.h"
#include "report.h"

static NTSTATUS(NTAPI *real_open)(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, CLIENT_ID *);
static NTSTATUS(NTAPI *real_terminate)(HANDLE, NTSTATUS);
static NTSTATUS(NTAPI *real_terminate_thread)(HANDLE, NTSTATUS);
static NTSTATUS(NTAPI *real_suspend)(HANDLE);
static NTSTATUS(NTAPI *real_suspend_thread)(HANDLE, ULONG *);
static NTSTATUS(NTAPI *real_write)(HANDLE, void *, void *, SIZE_T, SIZE_T *);
static NTSTATUS(NTAPI *real_create_thread)(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, HANDLE, void *, void *, ULONG, SIZE_T, SIZE_T, SIZE_T,
                                           void *);
static NTSTATUS(NTAPI *real_queue)(HANDLE, void *, void *, void *, void *);
static NTSTATUS(NTAPI *real_debug)(HANDLE, HANDLE);

#define SELF ((HANDLE)(intptr_t)-1)

/* A handle that may only end a process does not say which one it is; another one of our own to the same process does. To be closed. */
static HANDLE with_name(HANDLE process) {
  HANDLE named;
  return DuplicateHandle(SELF, process, SELF, &named, PROCESS_QUERY_LIMITED_INFORMATION, FALSE, 0) ? named : NULL;
}

static bool is_self(HANDLE process) {
  if (process == SELF) return true;
  HANDLE named = with_name(process);
  const bool self = named != NULL && GetProcessId(named) == GetCurrentProcessId();
  if (named != NULL) CloseHandle(named);
  return self;
}

/* What a program makes itself it must be able to furnish: CreateProcess writes into the new process. */
static bool is_child(HANDLE process) {
  struct bh_process_basic basic;
  ULONG needed;
  return BH_NT_OK(NtQueryInformationProcess(process, (PROCESSINFOCLASS)BH_PROCESS_BASIC, &basic, sizeof(basic), &needed)) &&
         (DWORD)(uintptr_t)basic.parent == GetCurrentProcessId();
}

static DWORD process_of_thread(HANDLE thread) {
  struct bh_thread_basic basic;
  ULONG needed;
  if (!BH_NT_OK(NtQueryInformationThread(thread, (THREADINFOCLASS)BH_THREAD_BASIC, &basic, sizeof(basic), &needed))) return GetCurrentProcessId();
  return (DWORD)(uintptr_t)basic.process;
}

/* One question about a process, with everything around it. The caller is inside the hook. */
static struct bh_said ask(unsigned act, HANDLE process, DWORD pid) {
  struct bh_object object;
  struct bh_room *room = bh_room_take();
  if (room == NULL) return (struct bh_said){.say = BH_DENY};
  HANDLE named = process != NULL ? with_name(process) : NULL;
  const enum bh_found found = named != NULL ? bh_object_process(room, named, &object) : bh_object_pid(room, pid, &object);
  if (named != NULL) CloseHandle(named);
  const struct bh_said said = bh_ask_rules(room, act, found, &object);
  bh_room_give(room);
  return said;
}

static NTSTATUS NTAPI hook_open(HANDLE *process, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes, CLIENT_ID *client) {
  const ACCESS_MASK reaching = PROCESS_VM_READ | PROCESS_VM_WRITE | PROCESS_VM_OPERATION | PROCESS_CREATE_THREAD | PROCESS_DUP_HANDLE |
                               PROCESS_SET_INFORMATION | MAXIMUM_ALLOWED | GENERIC_ALL | GENERIC_WRITE | GENERIC_READ;
  CLIENT_ID own;
  if ((access & reaching) == 0 || !bh_enter()) return real_open(process, access, attributes, client);
  NTSTATUS status = BH_ACCESS_VIOLATION;
  if (bh_copy_in(&own, client, sizeof(own))) {
    const DWORD pid = (DWORD)(uintptr_t)own.UniqueProcess;
    status = BH_SUCCESS;
    if (pid != GetCurrentProcessId() && own.UniqueThread == NULL) status = bh_status_of(ask(BH_HOOK_PROCESS_INSPECT, NULL, pid).say);
    if (BH_NT_OK(status)) status = real_open(process, access, attributes, &own);
  }
  bh_leave();
  return status;
}

/* Ends the waiting for our own last words when it is this process that ends. */
static NTSTATUS NTAPI hook_terminate(HANDLE process, NTSTATUS code) {
  if (!bh_enter()) return real_terminate(process, code);
  NTSTATUS status = BH_SUCCESS;
  enum bh_say say = BH_PASS;
  if (process == NULL || is_self(process)) {
    bh_report_flush(200);
  } else if (bh_watched(BH_HOOK_PROCESS_SIGNAL)) {
    say = ask(BH_HOOK_PROCESS_SIGNAL, process, 0).say;
    status = bh_status_of(say);
  }
  if (say == BH_PASS) status = real_terminate(process, code);
  bh_leave();
  return status;
}

static NTSTATUS NTAPI hook_terminate_thread(HANDLE thread, NTSTATUS code) {
  if (thread == NULL || thread == (HANDLE)(intptr_t)-2 || !bh_enter()) return real_terminate_thread(thread, code);
  const DWORD pid = process_of_thread(thread);
  const enum bh_say say = pid == GetCurrentProcessId() ? BH_PASS : ask(BH_HOOK_PROCESS_SIGNAL, NULL, pid).say;
  const NTSTATUS status = say == BH_PASS ? real_terminate_thread(thread, code) : bh_status_of(say);
  bh_leave();
  return status;
}

static NTSTATUS NTAPI hook_suspend(HANDLE process) {
  if (!bh_enter()) return real_suspend(process);
  const enum bh_say say = is_self(process) ? BH_PASS : ask(BH_HOOK_PROCESS_SIGNAL, process, 0).say;
  const NTSTATUS status = say == BH_PASS ? real_suspend(process) : bh_status_of(say);
  bh_leave();
  return status;
}

static NTSTATUS NTAPI hook_suspend_thread(HANDLE thread, ULONG *count) {
  if (!bh_enter()) return real_suspend_thread(thread, count);
  const DWORD pid = process_of_thread(thread);
  const enum bh_say say = pid == GetCurrentProcessId() ? BH_PASS : ask(BH_HOOK_PROCESS_SIGNAL, NULL, pid).say;
  const NTSTATUS status = say == BH_PASS ? real_suspend_thread(thread, count) : bh_status_of(say);
  bh_leave();
  return status;
}

static enum bh_say ask_inspect(HANDLE process) {
  return is_self(process) || is_child(process) ? BH_PASS : ask(BH_HOOK_PROCESS_INSPECT, process, 0).say;
}

static NTSTATUS NTAPI hook_write(HANDLE process, void *to, void *from, SIZE_T size, SIZE_T *written) {
  if (process == SELF || !bh_enter()) return real_write(process, to, from, size, written);
  const enum bh_say say = ask_inspect(process);
  const NTSTATUS status = say == BH_PASS ? real_write(process, to, from, size, written) : bh_status_of(say);
  bh_leave();
  return status;
}

static NTSTATUS NTAPI hook_create_thread(HANDLE *thread, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes, HANDLE process, void *start,
                                         void *argument, ULONG flags, SIZE_T zero_bits, SIZE_T stack, SIZE_T most, void *list) {
  if (process == SELF || !bh_enter()) {
    return real_create_thread(thread, access, attributes, process, start, argument, flags, zero_bits, stack, most, list);
  }
  const enum bh_say say = ask_inspect(process);
  const NTSTATUS status = say != BH_PASS ? bh_status_of(say)
                                         : real_create_thread(thread, access, attributes, process, start, argument, flags, zero_bits, stack,
                                                              most, list);
  bh_leave();
  return status;
}

static NTSTATUS NTAPI hook_queue(HANDLE thread, void *routine, void *a, void *b, void *c) {
  if (!bh_enter()) return real_queue(thread, routine, a, b, c);
  const DWORD pid = process_of_thread(thread);
  enum bh_say say = BH_PASS;
  if (pid != GetCurrentProcessId()) say = ask(BH_HOOK_PROCESS_INSPECT, NULL, pid).say;
  const NTSTATUS status = say == BH_PASS ? real_queue(thread, routine, a, b, c) : bh_status_of(say);
  bh_leave();
  return status;
}

static NTSTATUS NTAPI hook_debug(HANDLE process, HANDLE debugger) {
  if (!bh_enter()) return real_debug(process, debugger);
  const enum bh_say say = ask_inspect(process);
  const NTSTATUS status = say == BH_PASS ? real_debug(process, debugger) : bh_status_of(say);
  bh_leave();
  return status;
}

#define SIGNAL BH_BIT(BH_HOOK_PROCESS_SIGNAL)
#define INSPECT BH_BIT(BH_HOOK_PROCESS_INSPECT)

const struct bh_stub bh_reach_stubs[] = {
    {"NtTerminateProcess", (void *)hook_terminate, (void **)&real_terminate, 0, false},
    {"NtTerminateThread", (void *)hook_terminate_thread, (void **)&real_terminate_thread, SIGNAL, false},
    {"NtSuspendProcess", (void *)hook_suspend, (void **)&real_suspend, SIGNAL, false},
    {"NtSuspendThread", (void *)hook_suspend_thread, (void **)&real_suspend_thread, SIGNAL, false},
    {"NtOpenProcess", (void *)hook_open, (void **)&real_open, INSPECT, false},
    {"NtWriteVirtualMemory", (void *)hook_write, (void **)&real_write, INSPECT, false},
    {"NtCreateThreadEx", (void *)hook_create_thread, (void **)&real_create_thread, INSPECT, false},
    {"NtQueueApcThread", (void *)hook_queue, (void **)&real_queue, INSPECT, false},
    {"NtDebugActiveProcess", (void *)hook_debug, (void **)&real_debug, INSPECT, false},
};
const size_t bh_reach_stub_count = sizeof(bh_reach_stubs) / sizeof(bh_reach_stubs[0]);
