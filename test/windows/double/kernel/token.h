/* Records of tokens: what NtFilterToken and its relatives were asked for, and what Wine forgets. */
#ifndef BD_TOKEN_H
#define BD_TOKEN_H

#include "state.h"

/** The record of the token behind a handle; made from Wine's own answer when there is none yet. The handle needs TOKEN_QUERY. */
NTSTATUS bd_token_of(HANDLE token, bd_token *record);
/** The token that the calling thread acts with: its impersonation token or the process's. */
NTSTATUS bd_token_caller(bd_token *record);
/** The token of a process. */
NTSTATUS bd_token_of_process(HANDLE process, bd_token *record);
/** Binds a record to the token behind a handle. `pid` is the process whose end makes the record free again. */
NTSTATUS bd_token_bind(HANDLE token, bd_token *record, DWORD pid);
/** The descriptor of the token object itself. */
void bd_token_object(const bd_token *record, bd_sd *sd);
NTSTATUS bd_token_object_store(HANDLE token, const bd_sd *sd);
/** Fills in which privileges are enabled; asked for only where one could decide. */
void bd_token_privileges(HANDLE token, bd_token *record);
/** The same for the caller's token. */
void bd_token_caller_privileges(bd_token *record);
/** A copy of the process's own token that Wine treats as an ordinary user's: administrators deny-only, dangerous privileges gone. */
NTSTATUS bd_token_ordinary(HANDLE *token);
/** Gives the real token a default DACL that lets Wine's one user in, besides what the record says. */
void bd_token_real_dacl(HANDLE token, const bd_token *record);

#endif
