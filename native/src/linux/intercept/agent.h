/*
 * Reading from a process that is hostile and may run on meanwhile. Everything is copied once and judged on the copy. Nothing here
 * blocks; every function returns 0 or more, or -errno.
 */
#ifndef BULKHEAD_LINUX_INTERCEPT_AGENT_H
#define BULKHEAD_LINUX_INTERCEPT_AGENT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Exactly `size` bytes; -EFAULT when a part of them is not mapped. */
int bh_agent_bytes(pid_t pid, uint64_t address, void *into, size_t size);

/* A C string; returns its length. -ENAMETOOLONG when there is no NUL in the first `size` bytes. */
int bh_agent_string(pid_t pid, uint64_t address, char *into, size_t size);

/* The link /proc/<pid>/<name> ("cwd", "exe", "fd/3"); returns its length. */
int bh_agent_link(pid_t pid, const char *name, char *into, size_t size);

/* O_PATH descriptor of the process's root directory. */
int bh_agent_root(pid_t pid);

/* comm; "" when it cannot be read. */
void bh_agent_program(pid_t pid, char into[16]);

/* Its pid in the innermost pid namespace; 0 when it cannot be read. */
pid_t bh_agent_inner_pid(pid_t pid);

#endif
