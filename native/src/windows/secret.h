/*
 * The password of an agent account: made here, kept under DPAPI, handed to CreateProcessWithLogonW, and known to nobody in between.
 *
 * It is never in an argument, an environment, a log or a file in clear, and never reaches JavaScript. DPAPI protects it for the user who set
 * up (not CRYPTPROTECT_LOCAL_MACHINE, with which every program of the machine could open it), with the account's name as entropy, so that
 * the files of two accounts cannot be exchanged.
 */
#ifndef BULKHEAD_SECRET_H
#define BULKHEAD_SECRET_H

#include <stdint.h>
#include <wchar.h>

/* Characters. The longest that every function on the way takes is PWLEN (lmcons.h), 256. */
#define BH_SECRET_LENGTH 40u

/* Large enough for any that we made; to be cleared with bh_secret_clear. */
struct bh_secret {
  wchar_t text[BH_SECRET_LENGTH + 1];
};

/* A random one, with upper and lower case letters, digits and signs, as password policies ask. Returns 0 or a Win32 error. */
uint32_t bh_secret_make(struct bh_secret *secret);

/* Makes `file`, which holds the secret and has the descriptor `sddl` from the beginning; one that is there is removed. 0 or a Win32 error. */
uint32_t bh_secret_save(const struct bh_secret *secret, const wchar_t *account, const wchar_t *file, const wchar_t *sddl);

/* ERROR_INVALID_DATA: opened, but it is none of ours. NTE_BAD_KEY_STATE and others of DPAPI: protected for somebody else, or damaged. */
uint32_t bh_secret_load(struct bh_secret *secret, const wchar_t *account, const wchar_t *file);

void bh_secret_clear(struct bh_secret *secret);

#endif
