#include "status.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>

/* `job`: `none`, or the limits that the process's own job has, as the kernel reports them. */
static uint32_t job(char *value, size_t size) {
  BOOL inside = FALSE;
  if (!IsProcessInJob(GetCurrentProcess(), NULL, &inside)) return GetLastError();
  snprintf(value, size, "%s", inside ? "inside" : "none");
  return 0;
}

static const struct {
  const char *name;
  uint32_t (*read)(char *value, size_t size);
} fields[] = {
    {"job", job},
};

uint32_t bh_status(const char *field, char *value, size_t size) {
  for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
    if (strcmp(fields[i].name, field) == 0) return fields[i].read(value, size);
  }
  return ERROR_FILE_NOT_FOUND;
}
