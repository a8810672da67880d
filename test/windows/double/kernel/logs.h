/* Arguments of system calls as records. */
#ifndef BD_LOGS_H
#define BD_LOGS_H

#include "../common/record.h"
#include "state.h"

void bd_log_filter(bd_record *record, HANDLE token, ULONG flags, const TOKEN_GROUPS *disable, const TOKEN_PRIVILEGES *privileges,
                   const TOKEN_GROUPS *restricting);
void bd_log_token_information(bd_record *record, ULONG class, const void *buffer, ULONG size);
void bd_log_security(bd_record *record, HANDLE handle, SECURITY_INFORMATION info, const void *descriptor);
void bd_log_process(bd_record *record, ULONG process_flags, ULONG thread_flags, const void *parameters, const bd_ps_attributes *list,
                    const OBJECT_ATTRIBUTES *process_attributes);
void bd_log_descriptor(bd_record *record, const char *name, const void *descriptor);

/** CreateDesktopW and its relatives, which are no system calls of ntdll. */
BOOL bd_desktop_install(void);

#endif
