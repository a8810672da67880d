/* Frames over pipes. Handles are synchronous ones: reading waits. */
#ifndef BULKHEAD_CHANNEL_H
#define BULKHEAD_CHANNEL_H

#include <stdbool.h>
#include <windows.h>

#include "wire.h"

/* Fills in the length, writes the frame as a whole and frees it. False when nobody reads any more. */
bool bh_send(struct bh_writer *w, HANDLE pipe);

/*
 * Reads one frame as a whole. Returns its payload (type byte first, to be freed) and *length; NULL at the end of the pipe and for bytes
 * that are no frame.
 */
uint8_t *bh_receive(HANDLE pipe, size_t *length);

/* What a feed posts: a payload as from bh_receive. To be freed with its payload; NULL at the end, after which nothing comes. */
struct bh_letter {
  uint8_t *payload;
  size_t length;
};

/*
 * Starts a thread that reads frames and posts each as a struct bh_letter to `port`, under `key`, in place of an OVERLAPPED. The pipe stays
 * the caller's and must stay open. False when the thread could not be started.
 */
bool bh_feed(HANDLE pipe, HANDLE port, ULONG_PTR key);

#endif
