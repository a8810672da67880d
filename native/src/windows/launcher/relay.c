#include "relay.h"

#include "console-input.h"

/* As much as one read of a pipe gives. */
#define CHUNK 65536

/* Milliseconds for what was sent before the end. Nobody may take it: a reader that stopped reading. */
#define LAST_WORDS 5000

struct one {
  HANDLE pipe, stream;
  struct bh_input input; /* from the stream */
  bool inward; /* from the stream to the pipe */
  char bytes[CHUNK];
};

static bool write_stream(HANDLE stream, const char *bytes, DWORD length) {
  for (DWORD done = 0; done < length;) {
    DWORD n = 0;
    if (!WriteFile(stream, bytes + done, length - done, &n, NULL)) return false;
    done += n;
  }
  return true;
}

static bool pass(struct one *relay) {
  DWORD got = 0;
  if (relay->inward) return bh_input_read(&relay->input, relay->bytes, CHUNK, &got) && bh_pipe_write(relay->pipe, relay->bytes, got);
  return bh_pipe_read(relay->pipe, relay->bytes, CHUNK, &got) && write_stream(relay->stream, relay->bytes, got);
}

static DWORD WINAPI run(LPVOID parameter) {
  struct one *relay = parameter;
  while (relay->stream && pass(relay)) continue;
  /* What the other side has not read yet stays readable only while this end is open ("FlushFileBuffers"). */
  if (relay->inward) FlushFileBuffers(relay->pipe);
  CloseHandle(relay->pipe);
  if (relay->stream) CloseHandle(relay->stream);
  HeapFree(GetProcessHeap(), 0, relay);
  return 0;
}

/* NULL when it could not be started; then both ends are closed, and the runner's side sees that. */
static HANDLE start(HANDLE pipe, HANDLE stream, bool inward) {
  struct one *relay = HeapAlloc(GetProcessHeap(), 0, sizeof(*relay));
  HANDLE thread = NULL;
  if (relay) {
    relay->pipe = pipe;
    relay->stream = stream;
    relay->input = (struct bh_input){stream, 0};
    relay->inward = inward;
    thread = CreateThread(NULL, 0, run, relay, 0, NULL);
  }
  if (thread) return thread;
  CloseHandle(pipe);
  if (stream) CloseHandle(stream);
  if (relay) HeapFree(GetProcessHeap(), 0, relay);
  return NULL;
}

void bh_relay(HANDLE pipes[BH_PIPES], const struct bh_ends *ends, HANDLE runner) {
  const HANDLE streams[BH_PIPES] = {ends->input, ends->output, ends->streams[0], ends->streams[1], ends->streams[2]};
  HANDLE outward[BH_PIPES];
  DWORD count = 0;
  for (int i = 0; i < BH_PIPES; i++) {
    const bool inward = bh_pipe_is_inward((enum bh_runner_pipe)i);
    HANDLE thread = start(pipes[i], streams[i], inward);
    if (thread && !inward) outward[count++] = thread;
    else if (thread) CloseHandle(thread);
  }
  WaitForSingleObject(runner, INFINITE);
  /* Those that read wait for somebody else and end with this process. */
  if (count > 0) WaitForMultipleObjects(count, outward, TRUE, LAST_WORDS);
}
