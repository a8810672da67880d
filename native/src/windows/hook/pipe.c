/*
 * Named pipes of the agent that nobody gave an access list. Win32 gives them one of its own (RtlDefaultNpAcl: full control to SYSTEM,
 * administrators and the owner, reading to Everyone), which names no restricting SID: a restricted token could not open the other end of a
 * pipe that it has just made, and Node could start no child whose output it reads. They get the token's default list instead, which is what
 * every other object of the agent gets, and which opens them to this launch alone. No rule decides here, and nothing is opened to anybody
 * whom the token's own list does not name.
 */
#include "hooks.h"

#define TOKEN_QUERY_ACCESS 0x8u
/* A list of a handful of entries; less than a page, since frames of more need help from the C library. */
#define ROOM 1536u

/* Not in the compiler's headers (wdm.h, ntifs.h). */
NTSTATUS NTAPI NtOpenProcessToken(HANDLE process, ACCESS_MASK access, HANDLE *token);
NTSTATUS NTAPI NtQueryInformationToken(HANDLE token, TOKEN_INFORMATION_CLASS kind, void *information, ULONG size, ULONG *needed);

typedef NTSTATUS(NTAPI *create_pipe)(HANDLE *, ULONG, OBJECT_ATTRIBUTES *, IO_STATUS_BLOCK *, ULONG, ULONG, ULONG, ULONG, ULONG, ULONG, ULONG,
                                     ULONG, ULONG, LARGE_INTEGER *);
static create_pipe real_create;

/* As the two were when the process started; an agent that changes its default list later changes what it makes with lists of its own. */
static struct {
  SECURITY_DESCRIPTOR descriptor;
  bool ready;
  union {
    TOKEN_DEFAULT_DACL list;
    uint8_t room[ROOM];
  } token;
  uint8_t usual[ROOM]; /* Win32's list for pipes */
  uint16_t usual_size; /* 0: unknown */
} pipes;

static bool is_restricted(HANDLE token) {
  union {
    TOKEN_GROUPS groups;
    uint8_t room[ROOM];
  } restricting;
  ULONG size = 0;
  /* Too many for the room: then there are some. */
  const NTSTATUS status = NtQueryInformationToken(token, TokenRestrictedSids, &restricting, sizeof(restricting), &size);
  return BH_NT_OK(status) ? restricting.groups.GroupCount > 0 : status == (NTSTATUS)0xC0000023;
}

/* "Everything" in the words of files. The entries are ours alone: the launcher made the list, and it allows only. */
static void name_rights(ACL *list) {
  uint8_t *at = (uint8_t *)(list + 1);
  for (WORD i = 0; i < list->AceCount; i++) {
    ACCESS_ALLOWED_ACE *entry = (ACCESS_ALLOWED_ACE *)(void *)at;
    if (entry->Mask & GENERIC_ALL) entry->Mask = FILE_ALL_ACCESS;
    at += entry->Header.AceSize;
  }
}

/* Not in every system; without it only pipes without any list are recognised. */
static void find_usual(void) {
  ACL *list = NULL;
  NTSTATUS(NTAPI *const default_list)(ACL **) = (void *)GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "RtlDefaultNpAcl");
  if (!default_list || !BH_NT_OK(default_list(&list)) || !list) return;
  if (list->AclSize <= ROOM) {
    memcpy(pipes.usual, list, list->AclSize);
    pipes.usual_size = list->AclSize;
  }
  RtlFreeHeap(GetProcessHeap(), 0, list);
}

void bh_pipe_start(void) {
  HANDLE token;
  ULONG size = 0;
  if (!BH_NT_OK(NtOpenProcessToken(GetCurrentProcess(), TOKEN_QUERY_ACCESS, &token))) return;
  if (is_restricted(token) &&
      BH_NT_OK(NtQueryInformationToken(token, TokenDefaultDacl, &pipes.token, sizeof(pipes.token), &size)) && pipes.token.list.DefaultDacl) {
    pipes.descriptor = (SECURITY_DESCRIPTOR){.Revision = 1, .Control = SE_DACL_PRESENT, .Dacl = pipes.token.list.DefaultDacl};
    name_rights(pipes.token.list.DefaultDacl);
    find_usual();
    pipes.ready = true;
  }
  NtClose(token);
}

/* Whether a descriptor of the caller is the one that Win32 makes for those who give none. */
static bool is_usual(const void *given) {
  SECURITY_DESCRIPTOR head;
  uint8_t list[ROOM];
  if (pipes.usual_size == 0 || !bh_copy_in(&head, given, sizeof(head)) || !(head.Control & SE_DACL_PRESENT)) return false;
  /* Self-relative ones are of programs that made their own. */
  if ((head.Control & SE_SELF_RELATIVE) || !head.Dacl || !bh_copy_in(list, head.Dacl, pipes.usual_size)) return false;
  return memcmp(list, pipes.usual, pipes.usual_size) == 0;
}

static NTSTATUS NTAPI hook_create(HANDLE *handle, ULONG access, OBJECT_ATTRIBUTES *attributes, IO_STATUS_BLOCK *io, ULONG sharing,
                                  ULONG disposition, ULONG options, ULONG type, ULONG read_mode, ULONG completion, ULONG instances, ULONG inbound,
                                  ULONG outbound, LARGE_INTEGER *timeout) {
  OBJECT_ATTRIBUTES own;
  const bool ours = bh_enter();
  if (ours && pipes.ready && bh_copy_in(&own, attributes, sizeof(own)) && (!own.SecurityDescriptor || is_usual(own.SecurityDescriptor))) {
    own.SecurityDescriptor = &pipes.descriptor;
    attributes = &own;
  }
  const NTSTATUS status =
      real_create(handle, access, attributes, io, sharing, disposition, options, type, read_mode, completion, instances, inbound, outbound, timeout);
  if (ours) bh_leave();
  return status;
}

const struct bh_stub bh_pipe_stubs[] = {
    {"NtCreateNamedPipeFile", (void *)hook_create, (void **)&real_create, 0, false},
};
const size_t bh_pipe_stub_count = sizeof(bh_pipe_stubs) / sizeof(bh_pipe_stubs[0]);
