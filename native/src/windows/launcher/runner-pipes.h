/* The five pipes between stage 1 and its runner. */
#ifndef BULKHEAD_RUNNER_PIPES_H
#define BULKHEAD_RUNNER_PIPES_H

#include <stdbool.h>
#include <windows.h>

#include "fault.h"

enum bh_runner_pipe { BH_PIPE_INPUT, BH_PIPE_OUTPUT, BH_PIPE_STDIN, BH_PIPE_STDOUT, BH_PIPE_STDERR, BH_PIPES };

/* Characters of a nonce: 128 random bits in hexadecimal, and the final 0. */
#define BH_NONCE 33

/* True for those on which the runner reads. */
bool bh_pipe_is_inward(enum bh_runner_pipe which);

/*
 * Stage 1: makes all of them, each with one instance, for local clients, open to `account` (a SID in string form) alone and in one direction.
 * The handles are for overlapped calls. Returns 0, or -1 with what was made closed again.
 */
int bh_pipes_make(const wchar_t *nonce, const wchar_t *account, HANDLE pipes[BH_PIPES], struct bh_fault *fault);

/*
 * Stage 1: waits until each pipe was opened, by exactly that process. Gives up when the process ends, or after a minute: an account's first
 * logon makes its profile.
 */
int bh_pipes_accept(HANDLE pipes[BH_PIPES], HANDLE process, struct bh_fault *fault);

/* The runner: opens one end, which must belong to process `server`. A synchronous handle. Returns 0 or a Win32 error. */
uint32_t bh_pipe_open(const wchar_t *nonce, enum bh_runner_pipe which, DWORD server, HANDLE *pipe);

/* Reads or writes on an overlapped handle and waits for it. */
bool bh_pipe_read(HANDLE pipe, void *bytes, DWORD room, DWORD *got);
bool bh_pipe_write(HANDLE pipe, const void *bytes, DWORD length);

#endif
