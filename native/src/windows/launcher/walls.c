#include "walls.h"

#include <stdlib.h>

#include "environment.h"
#include "job.h"
#include "seal.h"
#include "text.h"
#include "token.h"

static int choose_desktop(struct bh_walls *walls, const struct bh_spec *spec, struct bh_fault *fault) {
  if (!spec->has_token) return 0;
  if (!spec->private_desktop) {
    /* By name: with none, a process under a restricted token may not find one and then does not start (STATUS_DLL_INIT_FAILED). */
    walls->desktop_name = bh_desktop_current(fault);
    return walls->desktop_name ? 0 : -1;
  }
  if (bh_desktop_make(spec, &walls->desktop, fault) < 0) return -1;
  walls->desktop_name = _wcsdup(walls->desktop.name);
  return walls->desktop_name ? 0 : bh_fault(fault, ERROR_OUTOFMEMORY, "name of the desktop", NULL);
}

int bh_walls_make(struct bh_walls *walls, const struct bh_spec *spec, HANDLE port, ULONG_PTR key, struct bh_fault *fault) {
  *walls = (struct bh_walls){0};
  if (bh_job_create(spec, spec->has_token, port, key, &walls->job, fault) < 0) return -1;
  if (choose_desktop(walls, spec, fault) < 0) return -1;
  if (spec->has_token && bh_token_make(spec, &walls->token, fault) < 0) return -1;
  if (spec->has_token && !(walls->guard = bh_launch_descriptor(spec))) return bh_fault(fault, 0, "access list of processes", NULL);
  if (spec->has_token && (bh_seal_objects(fault) < 0 || bh_seal(fault) < 0)) return -1;
  walls->environment = bh_environment(spec->environment, fault);
  if (!walls->environment) return -1;
  walls->directory = bh_wide(spec->directory);
  return walls->directory ? 0 : bh_fault(fault, 0, "working directory", NULL);
}

bool bh_walls_relax(struct bh_walls *walls, const struct bh_spec *spec, HANDLE port, ULONG_PTR key) {
  JOBOBJECT_BASIC_UI_RESTRICTIONS limits = {0};
  BOOL inside = FALSE;
  HANDLE job;
  struct bh_fault fault;
  if (!spec->has_token || !spec->private_desktop || !IsProcessInJob(GetCurrentProcess(), NULL, &inside) || !inside) return false;
  const BOOL known = QueryInformationJobObject(walls->job, JobObjectBasicUIRestrictions, &limits, sizeof(limits), NULL);
  if (known && limits.UIRestrictionsClass == 0) return false;
  if (bh_job_create(spec, false, port, key, &job, &fault) < 0) return false;
  CloseHandle(walls->job);
  walls->job = job;
  return true;
}

void bh_walls_close(struct bh_walls *walls) {
  if (walls->job) CloseHandle(walls->job);
  if (walls->token) CloseHandle(walls->token);
  LocalFree(walls->guard);
  bh_desktop_close(&walls->desktop);
  free(walls->desktop_name);
  free(walls->environment);
  free(walls->directory);
  *walls = (struct bh_walls){0};
}
