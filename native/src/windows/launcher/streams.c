#include "streams.h"

#include "console-input.h"

/* Milliseconds without output after which none is expected, when nobody can write any more. */
#define PATIENCE 1000

/* Its other end is opened by name inside CreatePipe, which what this process makes does not allow once it is sealed. */
static int make_pipe(HANDLE *read, HANDLE *write, struct bh_fault *fault) {
  return CreatePipe(read, write, NULL, 0) ? 0 : bh_fault(fault, 0, "pipe of a stream", NULL);
}

/* The agent gets a pipe in the place of a console. */
static int relay(struct bh_streams *streams, int number, HANDLE console, struct bh_fault *fault) {
  HANDLE read = NULL, write = NULL;
  if (make_pipe(&read, &write, fault) < 0) return -1;
  HANDLE theirs = number == 0 ? read : write;
  if (!SetHandleInformation(theirs, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT)) return bh_fault(fault, 0, "pipe of a stream", NULL);
  const bool started = number == 0 ? bh_pump_start(&streams->input, console, false, write, true)
                                   : bh_pump_start(&streams->output[number - 1], read, true, console, false);
  if (!started) return bh_fault(fault, 0, "starting a thread", NULL);
  streams->child[number] = theirs;
  return 0;
}

static COORD size_of(uint32_t columns, uint32_t rows) {
  const uint32_t most = 32767;
  const uint32_t width = columns < 1 ? 1 : columns > most ? most : columns, height = rows < 1 ? 1 : rows > most ? most : rows;
  return (COORD){(SHORT)width, (SHORT)height};
}

/* `to`: where the screen is shown; NULL: nowhere. */
static int open_console(struct bh_streams *streams, COORD size, HANDLE to, struct bh_fault *fault) {
  HANDLE keys_read = NULL, screen_read = NULL, screen_write = NULL;
  if (make_pipe(&keys_read, &streams->keys, fault) < 0 || make_pipe(&screen_read, &screen_write, fault) < 0) return -1;
  const HRESULT made = CreatePseudoConsole(size, keys_read, screen_write, 0, &streams->console);
  /* It has copies of its own. */
  CloseHandle(keys_read);
  CloseHandle(screen_write);
  if (FAILED(made)) {
    streams->console = NULL;
    return bh_fault(fault, HRESULT_FACILITY(made) == FACILITY_WIN32 ? (uint32_t)HRESULT_CODE(made) : (uint32_t)made, "pseudo-console", NULL);
  }
  return bh_pump_start(&streams->screen, screen_read, true, to, false) ? 0 : bh_fault(fault, 0, "starting a thread", NULL);
}

static int open_terminal(struct bh_streams *streams, const struct bh_spec *spec, const struct bh_ends *ends, struct bh_fault *fault) {
  if (open_console(streams, size_of(spec->columns, spec->rows), ends->streams[1], fault) < 0) return -1;
  bh_user_console_enter(&streams->user, ends->streams[0], ends->streams[1], true);
  if (!ends->streams[0]) return 0;
  return bh_pump_start(&streams->input, ends->streams[0], false, streams->keys, false) ? 0 : bh_fault(fault, 0, "starting a thread", NULL);
}

int bh_streams_open(struct bh_streams *streams, const struct bh_spec *spec, struct bh_ends *ends, struct bh_fault *fault) {
  *streams = (struct bh_streams){0};
  if (spec->stdio == BH_STDIO_TERMINAL) return open_terminal(streams, spec, ends, fault);
  if (spec->stdio == BH_STDIO_INHERIT && open_console(streams, size_of(80, 25), NULL, fault) < 0) return -1;
  for (int i = 0; i < 3; i++) {
    if (bh_is_console(ends->streams[i])) {
      if (i > 0 && !streams->user.out) bh_user_console_enter(&streams->user, NULL, ends->streams[i], false);
      if (relay(streams, i, ends->streams[i], fault) < 0) return -1;
    } else {
      streams->child[i] = ends->streams[i];
    }
  }
  return 0;
}

void bh_streams_given(struct bh_streams *streams) {
  for (int i = 0; i < 3; i++) {
    HANDLE handle = streams->child[i];
    if (!handle) continue;
    /* One handle may stand for two streams. */
    for (int j = i; j < 3; j++) {
      if (streams->child[j] == handle) streams->child[j] = NULL;
    }
    CloseHandle(handle);
  }
}

void bh_streams_resize(struct bh_streams *streams, uint32_t columns, uint32_t rows) {
  if (streams->console) ResizePseudoConsole(streams->console, size_of(columns, rows));
}

void bh_streams_finish(struct bh_streams *streams) {
  bh_streams_given(streams);
  if (bh_pump_stop(&streams->input, 200) && streams->keys) CloseHandle(streams->keys);
  streams->keys = NULL;
  if (streams->console) ClosePseudoConsole(streams->console);
  streams->console = NULL;
  bh_pump_finish(&streams->screen, PATIENCE);
  for (int i = 0; i < 2; i++) bh_pump_finish(&streams->output[i], PATIENCE);
  bh_user_console_leave(&streams->user);
}
