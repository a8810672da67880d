/*
 * The native system calls that the hook stands before, as far as the compiler's headers leave them out. Layouts and numbers: Windows
 * Driver Kit (ntifs.h, wdm.h) where documented there, otherwise the public headers of System Informer (phnt).
 */
#ifndef BULKHEAD_HOOK_NT_H
#define BULKHEAD_HOOK_NT_H

#include <stdint.h>
#include <windows.h>
#include <winternl.h>

#define BH_SUCCESS ((NTSTATUS)0)
#define BH_ACCESS_DENIED ((NTSTATUS)0xC0000022)
#define BH_NOT_IMPLEMENTED ((NTSTATUS)0xC0000002)
#define BH_NO_MEMORY ((NTSTATUS)0xC0000017)
#define BH_ACCESS_VIOLATION ((NTSTATUS)0xC0000005)
#define BH_NAME_NOT_FOUND ((NTSTATUS)0xC0000034)
#define BH_PATH_NOT_FOUND ((NTSTATUS)0xC000003A)
#define BH_NAME_COLLISION ((NTSTATUS)0xC0000035)
#define BH_NAME_TOO_LONG ((NTSTATUS)0xC0000106)

#define BH_NT_OK(status) ((NTSTATUS)(status) >= 0)

/* OBJECT_INFORMATION_CLASS, KEY_INFORMATION_CLASS, FILE_INFORMATION_CLASS, PROCESSINFOCLASS, THREADINFOCLASS */
#define BH_OBJECT_NAME 1
#define BH_OBJECT_TYPE 2
#define BH_KEY_NAME 3
#define BH_FILE_BASIC 4
#define BH_FILE_NAME 9
#define BH_FILE_RENAME 10
#define BH_FILE_LINK 11
#define BH_FILE_DISPOSITION 13
#define BH_FILE_NORMALIZED_NAME 48
#define BH_FILE_RENAME_NO_CHECK 56
#define BH_FILE_LINK_NO_CHECK 57
#define BH_FILE_DISPOSITION_EX 64
#define BH_FILE_RENAME_EX 65
#define BH_FILE_RENAME_EX_NO_CHECK 66
#define BH_FILE_LINK_EX 72
#define BH_FILE_LINK_EX_NO_CHECK 73
#define BH_PROCESS_BASIC 0
#define BH_PROCESS_IMAGE_NAME 27
#define BH_THREAD_BASIC 0

#define BH_THREAD_CREATE_SUSPENDED 1u
#define BH_PS_IMAGE_NAME 0x20005u

/* Same layout for renaming and linking; `flags` is a BOOLEAN in the older classes. */
struct bh_rename {
  ULONG flags;
  HANDLE root;
  ULONG length; /* bytes */
  WCHAR name[1];
};

struct bh_basic {
  LARGE_INTEGER times[4];
  ULONG attributes;
};

struct bh_ps_attribute {
  ULONG_PTR attribute;
  SIZE_T size;
  union {
    ULONG_PTR value;
    void *pointer;
  };
  SIZE_T *returned;
};

struct bh_ps_attributes {
  SIZE_T total;
  struct bh_ps_attribute list[1];
};

struct bh_thread_basic {
  NTSTATUS exit;
  void *teb;
  HANDLE process, thread;
  ULONG_PTR affinity;
  LONG priority, base;
};

struct bh_process_basic {
  NTSTATUS exit;
  void *peb;
  ULONG_PTR affinity;
  LONG priority;
  HANDLE process, parent;
};

/* Length in bytes, then that many bytes: FILE_NAME_INFORMATION and KEY_NAME_INFORMATION. */
struct bh_counted_name {
  ULONG length;
  WCHAR name[1];
};

#endif
