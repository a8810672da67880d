/* NtCreateUserProcess: may the program be started under this token, and into every child the double goes before the child's first instruction. */
#include "file.h"
#include "logs.h"
#include "process.h"
#include "token.h"

#include <string.h>
#include <wchar.h>

NTSTATUS bd_inject(HANDLE process, HANDLE thread) {
  SIZE_T size = (wcslen(bd_dll) + 1) * sizeof(WCHAR);
  void *load = (void *)GetProcAddress(GetModuleHandleW(L"kernel32.dll"), "LoadLibraryW");
  void *name = VirtualAllocEx(process, NULL, size, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
  if (!load || !name || !WriteProcessMemory(process, name, bd_dll, size, NULL)) return STATUS_ACCESS_DENIED;
  /* Wine's system libraries lie at the same address in every process. */
  return NtQueueApcThread(thread, load, (ULONG_PTR)name, 0, 0);
}

static const bd_ps_attribute *attribute(const bd_ps_attributes *list, ULONG_PTR which) {
  SIZE_T count = list ? (list->total - sizeof(list->total)) / sizeof(bd_ps_attribute) : 0;
  for (SIZE_T i = 0; i < count; i++) {
    if (list->attributes[i].attribute == which) return &list->attributes[i];
  }
  return NULL;
}

static BOOL is_program(OBJECT_ATTRIBUTES *attributes) {
  IO_STATUS_BLOCK io;
  HANDLE file;
  char magic[2] = {0};
  LARGE_INTEGER start = {0};
  if (bd_real(NtOpenFile)(&file, FILE_READ_DATA | SYNCHRONIZE, attributes, &io, 7, FILE_SYNCHRONOUS_IO_NONALERT)) return TRUE;
  NTSTATUS status = NtReadFile(file, NULL, NULL, NULL, &io, magic, 2, &start, NULL);
  NtClose(file);
  return status != STATUS_SUCCESS || (magic[0] == 'M' && magic[1] == 'Z');
}

/** Both the caller, who opens the image, and the new process's user must be allowed to execute it ("CreateProcessAsUser"). */
static NTSTATUS check_image(const bd_ps_attribute *image, const bd_token *token) {
  bd_target target;
  bd_sd sd;
  ACCESS_MASK granted;
  if (!image) return STATUS_INVALID_PARAMETER;
  UNICODE_STRING name = {(USHORT)image->size, (USHORT)image->size, image->pointer};
  OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes), .ObjectName = &name, .Attributes = OBJ_CASE_INSENSITIVE};
  NTSTATUS status = bd_resolve(&attributes, &target);
  if (status == STATUS_NAME_TOO_LONG) return status;
  if (status || target.place != BD_PLACE_FILE || !target.exists) return STATUS_SUCCESS;
  if (!bd_thread_is(BD_THREAD_SERVICE)) status = bd_check_existing(&target, FILE_EXECUTE | FILE_READ_DATA, FALSE, &granted);
  if (status) return status;
  if (!bd_file_descriptor(target.path, FALSE, &sd)) return STATUS_ACCESS_DENIED;
  status = bd_access_check(&sd, token, FILE_EXECUTE | FILE_READ_DATA, &bd_map_file, &granted);
  /* Wine would hand anything else to the host, where nothing of this holds. */
  return !status && !is_program(&attributes) ? STATUS_INVALID_IMAGE_NOT_MZ : status;
}

/** The record that the child's token will have. */
static NTSTATUS child_token(const bd_ps_attributes *list, bd_token *record) {
  const bd_ps_attribute *token = attribute(list, BD_PS_TOKEN), *parent = attribute(list, BD_PS_PARENT_PROCESS);
  bd_token caller;
  NTSTATUS status;
  if (!token && parent) return bd_token_of_process(parent->pointer, record);
  if (!token) return bd_token_of_process(GetCurrentProcess(), record);
  status = bd_token_of(token->pointer, record);
  if (!status) status = bd_token_of_process(GetCurrentProcess(), &caller);
  if (status || record->lineage == caller.lineage || bd_thread_is(BD_THREAD_SERVICE) || !bd_shared->enforce) return status;
  bd_token_caller_privileges(&caller);
  return caller.privileges & BD_PRIVILEGE(BD_SE_ASSIGN_PRIMARY) ? STATUS_SUCCESS : STATUS_PRIVILEGE_NOT_HELD;
}

/** Wine checks its own descriptors with its own one user. It is let in everywhere, so that the double's verdict is the one that counts. */
static void open_to_wine(SECURITY_DESCRIPTOR *sd, BYTE *acl, ULONG size) {
  const bd_sid administrators = bd_sid_make(5, 2, 32u, 544u);
  bd_sd list;
  memset(&list, 0, offsetof(bd_sd, aces));
  bd_add_ace(&list, BD_ACE_ALLOW, 0, GENERIC_ALL, &bd_shared->machine_user);
  bd_add_ace(&list, BD_ACE_ALLOW, 0, GENERIC_ALL, &administrators);
  bd_acl_to(&list, acl, size);
  memset(sd, 0, sizeof(*sd));
  sd->Revision = SECURITY_DESCRIPTOR_REVISION;
  sd->Control = SE_DACL_PRESENT;
  sd->Dacl = (ACL *)acl;
}

static NTSTATUS adopt(HANDLE process, HANDLE thread, bd_token *record, const OBJECT_ATTRIBUTES *process_attributes,
                      const OBJECT_ATTRIBUTES *thread_attributes) {
  PROCESS_BASIC_INFORMATION basic;
  HANDLE token;
  NTSTATUS status = NtQueryInformationProcess(process, ProcessBasicInformation, &basic, sizeof(basic), NULL);
  if (status) return status;
  DWORD pid = (DWORD)basic.UniqueProcessId;
  status = bd_real(NtOpenProcessToken)(process, TOKEN_QUERY, &token);
  if (status) return status;
  record->has_object = 0;
  status = bd_token_bind(token, record, pid);
  NtClose(token);
  if (!status) {
    status = bd_process_note(pid, record, process_attributes ? process_attributes->SecurityDescriptor : NULL,
                             thread_attributes ? thread_attributes->SecurityDescriptor : NULL);
  }
  return status ? status : bd_inject(process, thread);
}

static NTSTATUS create(HANDLE *process, HANDLE *thread, ACCESS_MASK process_access, ACCESS_MASK thread_access, OBJECT_ATTRIBUTES *process_attributes,
                       OBJECT_ATTRIBUTES *thread_attributes, ULONG process_flags, ULONG thread_flags, void *parameters, void *create_info,
                       bd_ps_attributes *list) {
  bd_token record;
  SECURITY_DESCRIPTOR open;
  BYTE acl[256];
  OBJECT_ATTRIBUTES open_process = {.Length = sizeof(open_process)}, open_thread = {.Length = sizeof(open_thread)};
  NTSTATUS status = child_token(list, &record);
  if (!status && bd_shared->enforce) status = check_image(attribute(list, BD_PS_IMAGE_NAME), &record);
  if (status) return status;
  open_to_wine(&open, acl, sizeof(acl));
  if (process_attributes) open_process = *process_attributes;
  if (thread_attributes) open_thread = *thread_attributes;
  open_process.SecurityDescriptor = open_thread.SecurityDescriptor = &open;
  /* On a crowded machine Wine now and then loses a child before it is born, and says STATUS_INTERNAL_ERROR; Windows knows nothing like it. */
  for (int tries = 0; tries < 3; tries++) {
    status = bd_real(NtCreateUserProcess)(process, thread, process_access, thread_access, &open_process, &open_thread, process_flags,
                                          thread_flags | 1 /* suspended */, parameters, create_info, list);
    if (status != STATUS_INTERNAL_ERROR) break;
  }
  if (status) return status;
  status = adopt(*process, *thread, &record, process_attributes, thread_attributes);
  if (status) {
    /* A child without the double would be a child without walls. */
    NtTerminateProcess(*process, status);
    NtClose(*process);
    NtClose(*thread);
  } else if (!(thread_flags & 1)) {
    ResumeThread(*thread);
  }
  return status;
}

NTSTATUS NTAPI bd_NtCreateUserProcess(HANDLE *process, HANDLE *thread, ACCESS_MASK process_access, ACCESS_MASK thread_access,
                                      OBJECT_ATTRIBUTES *process_attributes, OBJECT_ATTRIBUTES *thread_attributes, ULONG process_flags,
                                      ULONG thread_flags, void *parameters, void *create_info, bd_ps_attributes *list) {
  if (bd_inside()) {
    return bd_real(NtCreateUserProcess)(process, thread, process_access, thread_access, process_attributes, thread_attributes, process_flags,
                                        thread_flags, parameters, create_info, list);
  }
  bd_frame frame = bd_enter();
  bd_record line;
  bd_record_begin(&line, "NtCreateUserProcess");
  bd_log_process(&line, process_flags, thread_flags, parameters, list, process_attributes);
  NTSTATUS status = line.injected ? (NTSTATUS)line.result
                                  : create(process, thread, process_access, thread_access, process_attributes, thread_attributes, process_flags,
                                           thread_flags, parameters, create_info, list);
  bd_record_end(&line, (DWORD)status);
  bd_leave(frame);
  return status;
}
