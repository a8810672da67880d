/*
 * bulkhead-launcher.exe: supervises one sandbox. Started by Bulkhead with pipes as its standard input and output, on which it speaks the
 * frames of bulkhead.h, and with the agent's streams as descriptors 3, 4 and 5 of the C runtime.
 */
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

#include "bulkhead.h"
#include "channel.h"
#include "probe.h"
#include "supervise.h"

int wmain(int count, wchar_t **arguments);

/* Ctrl-C and its relatives reach everybody on a console. What they mean is for the orchestrator to say. */
static BOOL WINAPI ignore(DWORD event) {
  (void)event;
  return TRUE;
}

/* libuv hands descriptors over as the C runtime does (STARTUPINFO.lpReserved2). NULL for one that is not open. */
static HANDLE descriptor(int number) {
  const intptr_t handle = _get_osfhandle(number);
  return handle == -1 || handle == -2 ? NULL : (HANDLE)handle;
}

/* A descriptor that is not open is an answer here, not the end of the process. */
static void invalid(const wchar_t *expression, const wchar_t *function, const wchar_t *file, unsigned line, uintptr_t reserved) {
  (void)expression;
  (void)function;
  (void)file;
  (void)line;
  (void)reserved;
}

static void refuse(HANDLE output) {
  struct bh_writer w;
  bh_begin(&w, BH_ERROR);
  bh_write_u32(&w, ERROR_INVALID_DATA);
  bh_write_text(&w, "decoding the launch specification");
  bh_send(&w, output);
  bh_begin(&w, BH_GONE);
  bh_write_u8(&w, 1);
  bh_write_u32(&w, 9);
  bh_write_u32(&w, UINT32_MAX);
  bh_send(&w, output);
}

static int launch(void) {
  const struct bh_ends ends = {descriptor(0), descriptor(1), {descriptor(3), descriptor(4), descriptor(5)}};
  size_t length;
  uint8_t *payload = ends.input && ends.output ? bh_receive(ends.input, &length) : NULL;
  if (!payload) return ERROR_BROKEN_PIPE;
  struct bh_reader r = {payload + 1, length - 1, false};
  if (payload[0] == BH_LAUNCH) {
    struct bh_spec spec;
    if (bh_spec_decode(&spec, &r) == 0) {
      bh_supervise(&spec, &ends);
    } else {
      refuse(ends.output);
    }
    bh_spec_free(&spec);
  }
  free(payload);
  return 0;
}

int wmain(int count, wchar_t **arguments) {
  SetConsoleCtrlHandler(ignore, TRUE);
  SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX);
  _set_invalid_parameter_handler(invalid);
  if (count == 1) return launch();
  if (count == 2 && wcscmp(arguments[1], BH_PROBE_ARGUMENT) == 0) return bh_probe_run();
  fprintf(stderr, "bulkhead-launcher is started by Bulkhead and takes no arguments\n");
  return 2;
}
