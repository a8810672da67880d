#include "channel.h"

#include <stdlib.h>

#include "bulkhead.h"

bool bh_send(struct bh_writer *w, HANDLE pipe) {
  bool sent = bh_finish(w);
  for (size_t done = 0; sent && done < w->length;) {
    DWORD n = 0;
    sent = WriteFile(pipe, w->bytes + done, (DWORD)(w->length - done), &n, NULL) != 0;
    done += n;
  }
  bh_discard(w);
  return sent;
}

static bool receive_all(HANDLE pipe, uint8_t *bytes, size_t length) {
  for (size_t got = 0; got < length;) {
    DWORD n = 0;
    if (!ReadFile(pipe, bytes + got, (DWORD)(length - got), &n, NULL)) return false;
    /* A pipe that gives nothing has ended; a message of no bytes is nothing that we write. */
    if (n == 0) return false;
    got += n;
  }
  return true;
}

uint8_t *bh_receive(HANDLE pipe, size_t *length) {
  uint8_t header[4];
  if (!receive_all(pipe, header, sizeof(header))) return NULL;
  struct bh_reader r = {header, sizeof(header), false};
  *length = bh_read_u32(&r);
  if (*length == 0 || *length > BH_FRAME_MAX) return NULL;
  uint8_t *payload = malloc(*length);
  if (payload && receive_all(pipe, payload, *length)) return payload;
  free(payload);
  return NULL;
}

struct feed {
  HANDLE pipe, port;
  ULONG_PTR key;
};

static DWORD WINAPI run(LPVOID parameter) {
  const struct feed feed = *(struct feed *)parameter;
  free(parameter);
  for (;;) {
    struct bh_letter *letter = malloc(sizeof(*letter));
    if (letter) letter->payload = bh_receive(feed.pipe, &letter->length);
    if (letter && !letter->payload) {
      free(letter);
      letter = NULL;
    }
    if (!PostQueuedCompletionStatus(feed.port, 0, feed.key, (OVERLAPPED *)letter) || !letter) return 0;
  }
}

bool bh_feed(HANDLE pipe, HANDLE port, ULONG_PTR key) {
  struct feed *feed = malloc(sizeof(*feed));
  if (!feed) return false;
  *feed = (struct feed){pipe, port, key};
  HANDLE thread = CreateThread(NULL, 0, run, feed, 0, NULL);
  if (!thread) {
    free(feed);
    return false;
  }
  CloseHandle(thread);
  return true;
}
