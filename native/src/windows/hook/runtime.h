/*
 * What the hook has instead of a C library. It runs in processes whose own library is not initialised yet, and inside calls that may hold
 * any lock, so it uses neither heap nor loader: memory comes in whole pages, and everything else is here.
 */
#ifndef BULKHEAD_HOOK_RUNTIME_H
#define BULKHEAD_HOOK_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <windows.h>

#include "../hook-frame.h"

void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);

/* Copies from memory of the caller, which may be anything. False when a part of it cannot be read. */
bool bh_copy_in(void *to, const void *from, size_t size);
/* Writes into memory of the caller. False when it cannot be written. */
bool bh_copy_out(void *to, const void *from, size_t size);

/* To be called once, before the copying. False: the system lacks what it takes. */
bool bh_runtime_start(void);

/*
 * Marks the thread as inside the hook and keeps its last error (Win32 GetLastError) until bh_leave. False when it already was inside: the
 * call is our own and goes straight to the system.
 */
bool bh_enter(void);
void bh_leave(void);

/* One longest path, and room for what is put before it. */
#define BH_PATH_MAX 33000u

/* Room for the names of one call. Never on the stack: threads may have 64 KiB of it. */
struct bh_room {
  uint16_t named[BH_PATH_MAX]; /* canonical, as the caller named it */
  uint16_t real[BH_PATH_MAX]; /* canonical, as the system resolved it */
  uint16_t folded[BH_PATH_MAX];
  uint16_t raw[BH_PATH_MAX]; /* native names on their way */
  uint16_t copy[BH_PATH_MAX]; /* the caller's own name, copied once */
  char object[BH_HOOK_OBJECT_MAX]; /* UTF-8, for an event */
};

/* NULL when there is no memory. Contents are undefined. */
struct bh_room *bh_room_take(void);
void bh_room_give(struct bh_room *room);

struct bh_text16 bh_text16_of(const wchar_t *text);

#endif
