#include "desktop.h"

#include <stdio.h>
#include <stdlib.h>
/* After windows.h: RtlGenRandom. */
#include <ntsecapi.h>

#include "sid.h"

/* A process of low integrity may write to what is labelled so (ML, NO_WRITE_UP), and a higher one too. */
#define LOW_LABEL L"S:(ML;;NW;;;LW)"
/*
 * The station. An ordinary user cannot name one; the system names it after the logon session, so all sandboxes of a session are on the same
 * and its access list names no single launch. RESTRICTED (RC in SDDL) is in the restricting list of every agent. WINSTA_ENUMDESKTOPS |
 * READATTRIBUTES | ACCESSGLOBALATOMS | ENUMERATE | READSCREEN | READ_CONTROL: not the clipboard, no new desktops.
 * The WinSta0 of the user admits nobody but the logon's SID, which an agent does not have in its restricting list.
 */
#define STATION_LIST L"D:P(A;;GA;;;SY)(A;;0xF037F;;;%s)(A;;0x20323;;;RC)" LOW_LABEL
/* The desktop: everything but journals, switching to it, and changing this list. */
#define DESKTOP_LIST L"D:P(A;;GA;;;SY)(A;;0xF01FF;;;%s)(A;;0x200CF;;;%s)" LOW_LABEL

static wchar_t *name_of(HANDLE object) {
  wchar_t name[256];
  DWORD size;
  if (!GetUserObjectInformationW(object, UOI_NAME, name, sizeof(name), &size)) return NULL;
  return _wcsdup(name);
}

static wchar_t *join(wchar_t *station, wchar_t *desktop) {
  wchar_t *name = NULL;
  if (station && desktop) {
    const size_t length = wcslen(station) + wcslen(desktop) + 2;
    name = calloc(length, sizeof(wchar_t));
    if (name) _snwprintf(name, length, L"%ls\\%ls", station, desktop);
  }
  free(station);
  free(desktop);
  return name;
}

wchar_t *bh_desktop_current(struct bh_fault *fault) {
  wchar_t *name = join(name_of(GetProcessWindowStation()), name_of(GetThreadDesktop(GetCurrentThreadId())));
  if (!name) bh_fault(fault, 0, "name of the desktop", NULL);
  return name;
}

static SECURITY_ATTRIBUTES attributes(PSECURITY_DESCRIPTOR descriptor) {
  return (SECURITY_ATTRIBUTES){sizeof(SECURITY_ATTRIBUTES), descriptor, FALSE};
}

/* The order matters: a desktop is made on the station that the process is on. */
static int make(struct bh_desktop *made, PSECURITY_DESCRIPTOR station, PSECURITY_DESCRIPTOR desktop, struct bh_fault *fault) {
  SECURITY_ATTRIBUTES for_station = attributes(station), for_desktop = attributes(desktop);
  UCHAR random[16];
  wchar_t name[64] = L"bulkhead-";
  if (!RtlGenRandom(random, sizeof(random))) return bh_fault(fault, ERROR_GEN_FAILURE, "random numbers", NULL);
  for (size_t i = 0; i < sizeof(random); i++) _snwprintf(name + 9 + 2 * i, 3, L"%02x", random[i]);
  HWINSTA before = GetProcessWindowStation();
  made->station = CreateWindowStationW(NULL, 0, WINSTA_CREATEDESKTOP | WINSTA_READATTRIBUTES | READ_CONTROL, &for_station);
  if (!made->station) return bh_fault(fault, 0, "creating a window station", NULL);
  if (!SetProcessWindowStation(made->station)) return bh_fault(fault, 0, "entering the window station", NULL);
  made->desktop = CreateDesktopW(name, NULL, NULL, 0, DESKTOP_CREATEWINDOW | DESKTOP_READOBJECTS | READ_CONTROL, &for_desktop);
  const DWORD error = made->desktop ? 0 : GetLastError();
  SetProcessWindowStation(before);
  if (error != 0) return bh_fault(fault, error, "creating a desktop", NULL);
  made->name = join(name_of(made->station), name_of(made->desktop));
  return made->name ? 0 : bh_fault(fault, 0, "name of the desktop", NULL);
}

int bh_desktop_make(const struct bh_spec *spec, struct bh_desktop *desktop, struct bh_fault *fault) {
  *desktop = (struct bh_desktop){0};
  HANDLE token = NULL;
  PSECURITY_DESCRIPTOR for_station = NULL, for_desktop = NULL;
  PSID user = NULL, launch = bh_sid_from_text(spec->launch_sid);
  if (OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) user = bh_sid_of_user(token);
  if (user && launch) {
    for_station = bh_descriptor(STATION_LIST, user, NULL);
    for_desktop = bh_descriptor(DESKTOP_LIST, user, launch);
  }
  int result = for_station && for_desktop ? make(desktop, for_station, for_desktop, fault) : bh_fault(fault, 0, "access list of the desktop", NULL);
  LocalFree(for_station);
  LocalFree(for_desktop);
  LocalFree(launch);
  free(user);
  if (token) CloseHandle(token);
  if (result < 0) bh_desktop_close(desktop);
  return result;
}

void bh_desktop_close(struct bh_desktop *desktop) {
  if (desktop->desktop) CloseDesktop(desktop->desktop);
  if (desktop->station) CloseWindowStation(desktop->station);
  free(desktop->name);
  *desktop = (struct bh_desktop){0};
}
