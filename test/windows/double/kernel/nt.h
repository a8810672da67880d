/* The parts of the native interface that mingw's headers leave out. Layouts are those of x64 Windows 10. */
#ifndef BD_NT_H
#define BD_NT_H

#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>
#include <winternl.h>

typedef struct {
  ULONG_PTR attribute;
  SIZE_T size;
  union {
    ULONG_PTR value;
    void *pointer;
  };
  SIZE_T *returned;
} bd_ps_attribute;

typedef struct {
  SIZE_T total;
  bd_ps_attribute attributes[1];
} bd_ps_attributes;

#define BD_PS_PARENT_PROCESS 0x60000
#define BD_PS_TOKEN 0x60002
#define BD_PS_CLIENT_ID 0x10003
#define BD_PS_IMAGE_NAME 0x20005
#define BD_PS_HANDLE_LIST 0x2000b
#define BD_PS_JOB_LIST 0x20013

typedef struct {
  union {
    BOOLEAN replace;
    ULONG flags;
  };
  HANDLE root;
  ULONG name_length;
  WCHAR name[1];
} bd_rename_information;

typedef struct {
  ULONG attributes;
  ACCESS_MASK granted;
  ULONG handle_count, pointer_count;
  ULONG reserved[10];
} bd_object_basic;

typedef struct {
  UNICODE_STRING name;
  WCHAR buffer[1];
} bd_object_name;

enum { BD_FILE_BASIC = 4, BD_FILE_RENAME = 10, BD_FILE_LINK = 11, BD_FILE_DISPOSITION = 13, BD_FILE_ALLOCATION = 19, BD_FILE_END_OF_FILE = 20,
       BD_FILE_DISPOSITION_EX = 64, BD_FILE_RENAME_EX = 65, BD_FILE_LINK_EX = 72 };

/** Every function of the system that the double stands in for: name, result is always NTSTATUS, parameters. */
#define BD_HOOKS(X)                                                                                                                                  \
  X(NtCreateFile, (HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, IO_STATUS_BLOCK *, LARGE_INTEGER *, ULONG, ULONG, ULONG, ULONG, void *, ULONG))       \
  X(NtOpenFile, (HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, IO_STATUS_BLOCK *, ULONG, ULONG))                                                       \
  X(NtDeleteFile, (OBJECT_ATTRIBUTES *))                                                                                                             \
  X(NtSetInformationFile, (HANDLE, IO_STATUS_BLOCK *, void *, ULONG, ULONG))                                                                         \
  X(NtQueryAttributesFile, (const OBJECT_ATTRIBUTES *, void *))                                                                                      \
  X(NtQueryFullAttributesFile, (const OBJECT_ATTRIBUTES *, void *))                                                                                  \
  X(NtSetSecurityObject, (HANDLE, SECURITY_INFORMATION, void *))                                                                                     \
  X(NtQuerySecurityObject, (HANDLE, SECURITY_INFORMATION, void *, ULONG, ULONG *))                                                                   \
  X(NtCreateNamedPipeFile, (HANDLE *, ULONG, OBJECT_ATTRIBUTES *, IO_STATUS_BLOCK *, ULONG, ULONG, ULONG, ULONG, ULONG, ULONG, ULONG, ULONG, ULONG, \
                            LARGE_INTEGER *))                                                                                                        \
  X(NtFilterToken, (HANDLE, ULONG, TOKEN_GROUPS *, TOKEN_PRIVILEGES *, TOKEN_GROUPS *, HANDLE *))                                                    \
  X(NtDuplicateToken, (HANDLE, ACCESS_MASK, OBJECT_ATTRIBUTES *, BOOLEAN, TOKEN_TYPE, HANDLE *))                                                     \
  X(NtQueryInformationToken, (HANDLE, ULONG, void *, ULONG, ULONG *))                                                                                \
  X(NtSetInformationToken, (HANDLE, ULONG, void *, ULONG))                                                                                           \
  X(NtOpenProcessToken, (HANDLE, ACCESS_MASK, HANDLE *))                                                                                             \
  X(NtOpenProcessTokenEx, (HANDLE, ACCESS_MASK, ULONG, HANDLE *))                                                                                    \
  X(NtOpenThreadToken, (HANDLE, ACCESS_MASK, BOOLEAN, HANDLE *))                                                                                     \
  X(NtAccessCheck, (void *, HANDLE, ACCESS_MASK, GENERIC_MAPPING *, PRIVILEGE_SET *, ULONG *, ULONG *, NTSTATUS *))                                  \
  X(NtCreateUserProcess, (HANDLE *, HANDLE *, ACCESS_MASK, ACCESS_MASK, OBJECT_ATTRIBUTES *, OBJECT_ATTRIBUTES *, ULONG, ULONG, void *, void *,     \
                          bd_ps_attributes *))                                                                                                       \
  X(NtOpenProcess, (HANDLE *, ACCESS_MASK, const OBJECT_ATTRIBUTES *, const CLIENT_ID *))                                                            \
  X(NtOpenThread, (HANDLE *, ACCESS_MASK, const OBJECT_ATTRIBUTES *, const CLIENT_ID *))                                                             \
  X(NtDuplicateObject, (HANDLE, HANDLE, HANDLE, HANDLE *, ACCESS_MASK, ULONG, ULONG))                                                                \
  X(NtCreateJobObject, (HANDLE *, ACCESS_MASK, const OBJECT_ATTRIBUTES *))                                                                           \
  X(NtSetInformationJobObject, (HANDLE, ULONG, void *, ULONG))                                                                                       \
  X(NtAssignProcessToJobObject, (HANDLE, HANDLE))                                                                                                    \
  X(NtDeviceIoControlFile, (HANDLE, HANDLE, void *, void *, IO_STATUS_BLOCK *, ULONG, void *, ULONG, void *, ULONG))

enum bd_hook {
#define X(name, parameters) BD_##name,
  BD_HOOKS(X)
#undef X
      BD_HOOK_COUNT
};

#define X(name, parameters)                        \
  typedef NTSTATUS(NTAPI *bd_type_##name) parameters; \
  NTSTATUS NTAPI bd_##name parameters;
BD_HOOKS(X)
#undef X

extern void *bd_real_code[BD_HOOK_COUNT];
/** Calls the system itself, past the double. */
#define bd_real(name) ((bd_type_##name)bd_real_code[BD_##name])

NTSYSAPI NTSTATUS NTAPI NtReadFile(HANDLE, HANDLE, void *, void *, IO_STATUS_BLOCK *, void *, ULONG, LARGE_INTEGER *, ULONG *);
NTSYSAPI NTSTATUS NTAPI NtQueryDirectoryFile(HANDLE, HANDLE, void *, void *, IO_STATUS_BLOCK *, void *, ULONG, ULONG, BOOLEAN, UNICODE_STRING *, BOOLEAN);
NTSYSAPI NTSTATUS NTAPI NtTerminateProcess(HANDLE, NTSTATUS);
NTSYSAPI NTSTATUS NTAPI NtQueueApcThread(HANDLE, void *, ULONG_PTR, ULONG_PTR, ULONG_PTR);
NTSYSAPI NTSTATUS NTAPI LdrRegisterDllNotification(ULONG, void *, void *, void **);
NTSYSAPI NTSTATUS NTAPI NtSetSecurityObject(HANDLE, SECURITY_INFORMATION, void *);
NTSYSAPI WCHAR NTAPI RtlUpcaseUnicodeChar(WCHAR);
NTSTATUS NTAPI wine_nt_to_unix_file_name(const OBJECT_ATTRIBUTES *, char *, ULONG *, UINT);

#endif
