/* A window station and a desktop of a sandbox's own: no window, hook, message, clipboard or atom of the user's session is in reach. */
#ifndef BULKHEAD_DESKTOP_H
#define BULKHEAD_DESKTOP_H

#include <windows.h>

#include "fault.h"
#include "spec.h"

struct bh_desktop {
  HWINSTA station;
  HDESK desktop;
  wchar_t *name; /* `station\desktop`, for STARTUPINFO */
};

/* Returns 0, or -1 with nothing left. Both objects live until bh_desktop_close and as long as a process is on them. */
int bh_desktop_make(const struct bh_spec *spec, struct bh_desktop *desktop, struct bh_fault *fault);

/* The name of the desktop that this process is on. malloc; NULL with the fault. */
wchar_t *bh_desktop_current(struct bh_fault *fault);

void bh_desktop_close(struct bh_desktop *desktop);

#endif
