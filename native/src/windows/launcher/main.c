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
#include "feature.h"
#include "interrupt.h"
#include "probe.h"
#include "runner.h"
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

static void refuse(HANDLE output, uint32_t code, const char *operation) {
  struct bh_writer w;
  bh_begin(&w, BH_ERROR);
  bh_write_u32(&w, code);
  bh_write_text(&w, operation);
  bh_send(&w, output);
  bh_begin(&w, BH_GONE);
  bh_write_u8(&w, 1);
  bh_write_u32(&w, 9);
  bh_write_u32(&w, UINT32_MAX);
  bh_send(&w, output);
}

static void carry_out(const struct bh_spec *spec, const uint8_t *payload, size_t length, const struct bh_ends *ends) {
  const struct bh_account account = {spec->account_name, spec->account_sid, spec->account_secret};
  if (!bh_runner_is() && spec->has_account) {
    bh_runner_start(&account, payload, length, ends, spec->stdio == BH_STDIO_TERMINAL);
  } else {
    bh_supervise(spec, ends);
  }
}

static void sweep(struct bh_reader *r, HANDLE output) {
  struct bh_fault fault = {0};
  char *texts[3] = {0};
  for (int i = 0; i < 3; i++) texts[i] = bh_read_text(r);
  const struct bh_account account = {texts[0], texts[1], texts[2]};
  const bool good = !r->failed && r->left == 0;
  const uint32_t error = good ? bh_runner_sweep_as(&account, &fault) : ERROR_INVALID_DATA;
  struct bh_writer w;
  bh_begin(&w, BH_ANSWER);
  bh_write_u8(&w, error == 0);
  bh_write_u32(&w, error);
  bh_write_text(&w, fault.operation);
  bh_send(&w, output);
  for (int i = 0; i < 3; i++) free(texts[i]);
}

static int launch(struct bh_ends ends) {
  size_t length;
  uint8_t *payload = ends.input && ends.output ? bh_receive(ends.input, &length) : NULL;
  if (!payload) return ERROR_BROKEN_PIPE;
  struct bh_reader r = {payload + 1, length - 1, false};
  if (payload[0] == BH_LAUNCH) {
    struct bh_spec spec;
    if (bh_spec_decode(&spec, &r) == 0) {
      carry_out(&spec, payload, length, &ends);
    } else {
      refuse(ends.output, ERROR_INVALID_DATA, "decoding the launch specification");
    }
    bh_spec_free(&spec);
  } else if (payload[0] == BH_SWEEP) {
    sweep(&r, ends.output);
  } else if (payload[0] == BH_PROBE) {
    struct bh_writer w;
    bh_feature_answer(&r, &w);
    bh_send(&w, ends.output);
  }
  free(payload);
  return 0;
}

int wmain(int count, wchar_t **arguments) {
  SetConsoleCtrlHandler(ignore, TRUE);
  SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX);
  _set_invalid_parameter_handler(invalid);
  /* Who started us may have ignored it; what we start inherits that. */
  SetConsoleCtrlHandler(NULL, FALSE);
  if (count == 1) return launch((struct bh_ends){descriptor(0), descriptor(1), {descriptor(3), descriptor(4), descriptor(5)}});
  if ((count == 2 || count == 3) && wcscmp(arguments[1], BH_PROBE_ARGUMENT) == 0) return bh_probe_run(count == 3 ? arguments[2] : NULL);
  if (count == 2 && wcscmp(arguments[1], BH_INTERRUPT_ARGUMENT) == 0) return bh_interrupt_run();
  struct bh_ends ends;
  const uint32_t error = bh_runner_open(count, arguments, &ends);
  if (error == 0) return launch(ends);
  if (error != ERROR_INVALID_PARAMETER) return (int)error;
  fprintf(stderr, "bulkhead-launcher is started by Bulkhead and takes no arguments\n");
  return 2;
}
