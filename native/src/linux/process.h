/* Facts about processes from /proc (proc(5)). */
#ifndef BULKHEAD_PROCESS_H
#define BULKHEAD_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

/* Start time in clock ticks since boot as text (field 22 of /proc/<pid>/stat); empty when there is no such process. 0 or -errno. */
int bh_start_time(pid_t pid, char *text, size_t size);
/* Pid behind a pidfd in our pid namespace; 0 or -1 when it is gone or elsewhere. */
pid_t bh_pidfd_pid(int pidfd);
/* Sends SIGKILL to every child of the calling (single-threaded) process. */
void bh_kill_children(void);

#endif
