#include "process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int bh_start_time(pid_t pid, char *text, size_t size) {
  char path[32], line[1024];
  text[0] = 0;
  snprintf(path, sizeof(path), "/proc/%d/stat", pid);
  FILE *file = fopen(path, "re");
  if (!file) return -errno;
  const char *got = fgets(line, sizeof(line), file);
  fclose(file);
  /* The program's name (field 2) may contain anything, also spaces and parentheses. */
  char *at = got ? strrchr(line, ')') : NULL;
  char *rest = NULL;
  char *field = at ? strtok_r(at + 1, " ", &rest) : NULL;
  if (field && (*field == 'Z' || *field == 'X')) return -ESRCH;
  for (int number = 3; field && number < 22; number++) field = strtok_r(NULL, " ", &rest);
  if (!field) return -ESRCH;
  snprintf(text, size, "%s", field);
  return 0;
}

pid_t bh_pidfd_pid(int pidfd) {
  char path[48], line[128];
  int pid = -1;
  snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
  FILE *file = fopen(path, "re");
  if (!file) return -1;
  while (fgets(line, sizeof(line), file)) {
    if (strncmp(line, "Pid:", 4) == 0) pid = atoi(line + 4);
  }
  fclose(file);
  return pid;
}

void bh_kill_children_but(bool (*spare)(pid_t)) {
  char path[64];
  int pid;
  snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
  FILE *file = fopen(path, "re");
  if (!file) return;
  while (fscanf(file, "%d", &pid) == 1) {
    if (!spare || !spare(pid)) kill(pid, SIGKILL);
  }
  fclose(file);
}
