/* CreateDesktopW, CreateWindowStationW: Wine's own, recorded. */
#include "logs.h"
#include "patch.h"

typedef HDESK(WINAPI *create_desktop_call)(LPCWSTR, LPCWSTR, LPDEVMODEW, DWORD, ACCESS_MASK, LPSECURITY_ATTRIBUTES);
typedef HWINSTA(WINAPI *create_station_call)(LPCWSTR, DWORD, ACCESS_MASK, LPSECURITY_ATTRIBUTES);

static void *original_desktop, *original_station;

static void put_common(bd_record *record, const WCHAR *name, DWORD flags, ACCESS_MASK access, const SECURITY_ATTRIBUTES *attributes) {
  bd_put_wide(record, "name", name, -1);
  bd_put_hex(record, "flags", flags);
  bd_put_hex(record, "access", access);
  bd_put_bool(record, "inherit", attributes && attributes->bInheritHandle);
  bd_log_descriptor(record, "descriptor", attributes ? attributes->lpSecurityDescriptor : NULL);
}

/** The result is recorded as an error number; the last error is what Wine left. */
static void finish(bd_record *record, BOOL good) {
  DWORD error = record->injected ? record->result : good ? 0 : GetLastError();
  bd_record_end(record, error);
  if (error) SetLastError(error);
}

static HDESK WINAPI create_desktop(LPCWSTR name, LPCWSTR device, LPDEVMODEW mode, DWORD flags, ACCESS_MASK access, LPSECURITY_ATTRIBUTES attributes) {
  bd_record record;
  bd_frame frame = bd_enter();
  bd_record_begin(&record, "CreateDesktopW");
  put_common(&record, name, flags, access, attributes);
  bd_leave(frame);
  HDESK desktop = record.injected ? NULL : ((create_desktop_call)original_desktop)(name, device, mode, flags, access, attributes);
  finish(&record, desktop != NULL);
  return desktop;
}

static HWINSTA WINAPI create_station(LPCWSTR name, DWORD flags, ACCESS_MASK access, LPSECURITY_ATTRIBUTES attributes) {
  bd_record record;
  bd_frame frame = bd_enter();
  bd_record_begin(&record, "CreateWindowStationW");
  put_common(&record, name, flags, access, attributes);
  bd_leave(frame);
  HWINSTA station = record.injected ? NULL : ((create_station_call)original_station)(name, flags, access, attributes);
  finish(&record, station != NULL);
  return station;
}

static const bd_replacement replacements[] = {
    {"user32.dll", "CreateDesktopW", (void *)create_desktop, &original_desktop},
    {"user32.dll", "CreateWindowStationW", (void *)create_station, &original_station},
};

BOOL bd_desktop_install(void) {
  return bd_patch(replacements, sizeof(replacements) / sizeof(replacements[0]));
}
