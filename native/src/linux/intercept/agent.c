#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static ssize_t read_memory(pid_t pid, uint64_t address, void *into, size_t size) {
  struct iovec local = {.iov_base = into, .iov_len = size};
  struct iovec remote = {.iov_base = (void *)(uintptr_t)address, .iov_len = size};
  const ssize_t got = process_vm_readv(pid, &local, 1, &remote, 1, 0);
  return got < 0 ? -errno : got;
}

int bh_agent_bytes(pid_t pid, uint64_t address, void *into, size_t size) {
  const ssize_t got = read_memory(pid, address, into, size);
  if (got < 0) return (int)got;
  return (size_t)got == size ? 0 : -EFAULT;
}

/* In steps that never cross a page, because the page behind the string need not be mapped. Most strings are shorter than a step, and 256
 * divides every page size. */
int bh_agent_string(pid_t pid, uint64_t address, char *into, size_t size) {
  size_t length = 0;
  while (length < size) {
    const uint64_t at = address + length;
    size_t step = 256 - (size_t)(at % 256);
    if (step > size - length) step = size - length;
    const ssize_t got = read_memory(pid, at, into + length, step);
    if (got < 0) return (int)got;
    if (got == 0) return -EFAULT;
    const char *end = memchr(into + length, '\0', (size_t)got);
    if (end != NULL) return (int)(end - into);
    length += (size_t)got;
  }
  return -ENAMETOOLONG;
}

int bh_agent_link(pid_t pid, const char *name, char *into, size_t size) {
  char path[64];
  snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
  const ssize_t length = readlink(path, into, size);
  if (length < 0) return -errno;
  if ((size_t)length >= size) return -ENAMETOOLONG;
  into[length] = '\0';
  return (int)length;
}

int bh_agent_root(pid_t pid) {
  char path[64];
  snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
  const int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

static ssize_t read_proc(pid_t pid, const char *name, char *into, size_t size) {
  char path[64];
  snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  const ssize_t got = read(fd, into, size - 1);
  const int error = errno;
  close(fd);
  if (got < 0) return -error;
  into[got] = '\0';
  return got;
}

void bh_agent_program(pid_t pid, char into[16]) {
  char text[32];
  memset(into, 0, 16);
  const ssize_t got = read_proc(pid, "comm", text, sizeof(text));
  if (got <= 0) return;
  if (text[got - 1] == '\n') text[got - 1] = '\0';
  memcpy(into, text, strnlen(text, 15));
}

/* `NSpid:` lists one pid per nested namespace, the innermost last (proc(5)). The program's name comes first in the file and cannot hold a
 * newline (the kernel escapes it). */
pid_t bh_agent_inner_pid(pid_t pid) {
  char text[2048];
  if (read_proc(pid, "status", text, sizeof(text)) <= 0) return 0;
  const char *line = strstr(text, "\nNSpid:");
  if (line == NULL) return 0;
  line += strlen("\nNSpid:");
  long inner = 0;
  while (*line == '\t' || *line == ' ') {
    char *end;
    inner = strtol(line, &end, 10);
    if (end == line) break;
    line = end;
  }
  return (pid_t)inner;
}
