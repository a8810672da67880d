/*
 * Ctrl-C for everything on the agent's console, as if its user had typed it. By the event and not by the key: a program that reads keys
 * one by one would take the key for one of them.
 */
#ifndef BULKHEAD_INTERRUPT_H
#define BULKHEAD_INTERRUPT_H

#include <stdbool.h>
#include <windows.h>

#include "walls.h"

/* The argument that makes this executable the one that sends it: an event reaches only the console of its sender. */
#define BH_INTERRUPT_ARGUMENT L"interrupt"

/*
 * `console`: NULL for our own. What sends it is behind the walls of the agent and closed to it: no hook is in it, and nothing waits for it.
 * False: nothing was sent, since a process more is not allowed, for example.
 */
bool bh_interrupt(const struct bh_walls *walls, HPCON console);

/* In the process that sends it. Returns the exit code. */
int bh_interrupt_run(void);

#endif
