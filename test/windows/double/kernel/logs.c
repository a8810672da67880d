#include "logs.h"
#include "file.h"
#include "process.h"
#include "security.h"

#include <string.h>
#include <wchar.h>

void bd_log_descriptor(bd_record *record, const char *name, const void *descriptor) {
  bd_sd sd;
  char text[8192];
  if (!descriptor) bd_put_wide(record, name, NULL, 0);
  else if (bd_sd_from(&sd, descriptor) && bd_sddl_print(&sd, text, sizeof(text))) bd_put_text(record, name, text);
  else bd_put_text(record, name, "not understood");
}

static void put_sids(bd_record *record, const char *name, const TOKEN_GROUPS *list) {
  bd_put_open(record, name, '[');
  for (DWORD i = 0; list && i < list->GroupCount; i++) bd_put_sid(record, NULL, list->Groups[i].Sid);
  bd_put_close(record, ']');
}

void bd_log_filter(bd_record *record, HANDLE token, ULONG flags, const TOKEN_GROUPS *disable, const TOKEN_PRIVILEGES *privileges,
                   const TOKEN_GROUPS *restricting) {
  (void)token;
  bd_put_hex(record, "flags", flags);
  put_sids(record, "disable", disable);
  bd_put_open(record, "privileges", '[');
  for (DWORD i = 0; privileges && i < privileges->PrivilegeCount; i++) bd_put_number(record, NULL, privileges->Privileges[i].Luid.LowPart);
  bd_put_close(record, ']');
  put_sids(record, "restricting", restricting);
}

void bd_log_token_information(bd_record *record, ULONG class, const void *buffer, ULONG size) {
  bd_put_number(record, "class", class);
  if (!buffer || size < sizeof(void *)) return;
  if (class == TokenIntegrityLevel) bd_put_sid(record, "label", ((const TOKEN_MANDATORY_LABEL *)buffer)->Label.Sid);
  if (class == TokenOwner) bd_put_sid(record, "owner", ((const TOKEN_OWNER *)buffer)->Owner);
  if (class == TokenDefaultDacl) {
    SECURITY_DESCRIPTOR sd;
    memset(&sd, 0, sizeof(sd));
    sd.Revision = SECURITY_DESCRIPTOR_REVISION;
    sd.Control = SE_DACL_PRESENT;
    sd.Dacl = ((const TOKEN_DEFAULT_DACL *)buffer)->DefaultDacl;
    bd_log_descriptor(record, "dacl", &sd);
  }
}

void bd_log_security(bd_record *record, HANDLE handle, SECURITY_INFORMATION info, const void *descriptor) {
  static const char *const kinds[] = {"other", "file", "process", "thread", "token"};
  bd_target target;
  enum bd_kind kind = bd_kind_of(handle);
  bd_put_text(record, "kind", kinds[kind]);
  if (kind == BD_KIND_FILE && !bd_resolve_handle(handle, &target)) bd_put_wide(record, "path", target.path, -1);
  bd_put_hex(record, "info", info);
  bd_put_bool(record, "propagates", bd_thread_is(BD_THREAD_PROPAGATES));
  bd_log_descriptor(record, "descriptor", descriptor);
}

static void put_string(bd_record *record, const char *name, const BYTE *parameters, size_t offset) {
  const UNICODE_STRING *text = (const void *)(parameters + offset);
  bd_put_wide(record, name, text->Buffer, text->Length / 2);
}

void bd_log_process(bd_record *record, ULONG process_flags, ULONG thread_flags, const void *parameters, const bd_ps_attributes *list,
                    const OBJECT_ATTRIBUTES *process_attributes) {
  SIZE_T count = list ? (list->total - sizeof(list->total)) / sizeof(bd_ps_attribute) : 0;
  BOOL token = FALSE;
  SIZE_T handles = 0, jobs = 0;
  for (SIZE_T i = 0; i < count; i++) {
    const bd_ps_attribute *attribute = &list->attributes[i];
    if (attribute->attribute == BD_PS_IMAGE_NAME) bd_put_wide(record, "image", attribute->pointer, (int)(attribute->size / 2));
    if (attribute->attribute == BD_PS_TOKEN) token = TRUE;
    if (attribute->attribute == BD_PS_HANDLE_LIST) handles = attribute->size / sizeof(HANDLE);
    if (attribute->attribute == BD_PS_JOB_LIST) jobs = attribute->size / sizeof(HANDLE);
  }
  bd_put_bool(record, "token", token);
  bd_put_number(record, "handles", handles);
  bd_put_number(record, "jobs", jobs);
  bd_put_hex(record, "processFlags", process_flags);
  bd_put_hex(record, "threadFlags", thread_flags);
  /* Offsets of RTL_USER_PROCESS_PARAMETERS. */
  if (parameters) {
    put_string(record, "directory", parameters, 0x38);
    put_string(record, "line", parameters, 0x70);
    put_string(record, "desktop", parameters, 0xc0);
  }
  bd_log_descriptor(record, "descriptor", process_attributes ? process_attributes->SecurityDescriptor : NULL);
}
