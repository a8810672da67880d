/* Facts about processes from /proc (proc(5)). */
#ifndef BULKHEAD_PROCESS_H
#define BULKHEAD_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Start time in clock ticks since boot as text (field 22 of /proc/<pid>/stat); empty and -ESRCH when there is no such process or only its exit
 * status is left (the first process of a pid namespace gets there when all others are gone). 0 or -errno.
 */
int bh_start_time(pid_t pid, char *text, size_t size);
/* Pid behind a pidfd in our pid namespace; 0 or -1 when it is gone or elsewhere. */
pid_t bh_pidfd_pid(int pidfd);
/* Sends SIGKILL to every child of the calling (single-threaded) process, but to those that `spare` (or NULL) names. */
void bh_kill_children_but(bool (*spare)(pid_t));

#endif
