/* Bytes from one handle to another, on a thread of their own. */
#ifndef BULKHEAD_PUMP_H
#define BULKHEAD_PUMP_H

#include <stdbool.h>
#include <windows.h>

struct bh_pump {
  HANDLE thread; /* NULL: none */
  volatile LONG writing; /* waits for who reads */
};

/*
 * `pump` must stay. Passes on until the end of `from`, or until nobody reads `to` (NULL: nobody ever does, and nothing is kept), and then
 * closes both where it owns them. A console is read as a user types in it and comes out as UTF-8. False when the thread could not be
 * started; then nothing is closed.
 */
bool bh_pump_start(struct bh_pump *pump, HANDLE from, bool owns_from, HANDLE to, bool owns_to);

/*
 * Waits until everything has passed: for `patience` milliseconds in which nothing comes, and as long as somebody is slow to read, a minute at
 * most. False: it waits for more, and is left to the end of the process.
 */
bool bh_pump_finish(struct bh_pump *pump, DWORD patience);

/* The same for one that is to wait for no more. */
bool bh_pump_stop(struct bh_pump *pump, DWORD patience);

#endif
