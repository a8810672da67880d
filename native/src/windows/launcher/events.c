#include "events.h"

#include <ntsecapi.h>
#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>

#include "../hook-frame.h"

#define LISTENERS 4 /* ready at the same time, so that clients seldom find the pipe busy */
#define MOST_CLIENTS 1024 /* one for each process, and one for each question */
#define BUFFER (64u * 1024u)
#define EVENT_BURST 256.0
#define EVENTS_PER_SECOND 100.0
#define CLOSE_PATIENCE 1000u /* milliseconds */
#define CLOSE_KEY 1

struct client {
  OVERLAPPED overlapped; /* first: a completion names its client by it */
  HANDLE pipe;
  struct client *next;
  enum { LISTENING, READING } state;
  bool greeted;
  uint32_t pid;
  uint32_t question; /* 0: none is open */
  size_t length;
  uint8_t bytes[2 * BH_HOOK_FRAME_MAX];
};

struct bh_events {
  HANDLE job, port, thread;
  wchar_t name[64];
  struct bh_events_handler handler;
  PSECURITY_DESCRIPTOR security;
  CRITICAL_SECTION lock; /* of the list, its questions, and `known` */
  struct client *clients;
  size_t count, listening;
  uint32_t questions;
  uint32_t *known;
  size_t known_count, known_room;
  bool closing;
  uint32_t lost;
  double tokens;
  ULONGLONG refilled; /* GetTickCount64 */
};

/*
 * SYSTEM and the user everything; the launch's own SID reads and writes, but makes no instance of the pipe (FILE_CREATE_PIPE_INSTANCE is
 * what files call FILE_APPEND_DATA): a process of the sandbox cannot answer in our place. The label lets a process of low integrity write.
 */
static uint32_t describe(PSID launch, PSID user, PSECURITY_DESCRIPTOR *security) {
  wchar_t *launch_text = NULL, *user_text = NULL;
  wchar_t text[512];
  uint32_t error = 0;
  if (!ConvertSidToStringSidW(launch, &launch_text) || !ConvertSidToStringSidW(user, &user_text)) {
    error = GetLastError();
  } else {
    _snwprintf(text, 512, L"D:P(A;;GA;;;SY)(A;;GA;;;%ls)(A;;0x12019b;;;%ls)S:(ML;;NW;;;LW)", user_text, launch_text);
    text[511] = 0;
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(text, SDDL_REVISION_1, security, NULL)) error = GetLastError();
  }
  LocalFree(launch_text);
  LocalFree(user_text);
  return error;
}

static uint32_t invent_name(wchar_t name[64]) {
  uint8_t random[16];
  if (!RtlGenRandom(random, sizeof(random))) return ERROR_GEN_FAILURE;
  int at = swprintf(name, 64, L"\\\\.\\pipe\\bulkhead-");
  for (size_t i = 0; i < sizeof(random); i++) at += swprintf(name + at, 64 - (size_t)at, L"%02x", random[i]);
  return 0;
}

/* Takes a client out of the list and frees it; its last operation is over. */
static void drop(struct bh_events *events, struct client *client) {
  EnterCriticalSection(&events->lock);
  for (struct client **at = &events->clients; *at; at = &(*at)->next) {
    if (*at != client) continue;
    *at = client->next;
    events->count--;
    break;
  }
  if (client->state == LISTENING) events->listening--;
  LeaveCriticalSection(&events->lock);
  CloseHandle(client->pipe);
  free(client);
}

/* One more end that waits for a client. */
static uint32_t listen_once(struct bh_events *events, bool first) {
  SECURITY_ATTRIBUTES attributes = {sizeof(attributes), events->security, FALSE};
  struct client *client = calloc(1, sizeof(*client));
  if (!client) return ERROR_NOT_ENOUGH_MEMORY;
  const DWORD mode = PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | (first ? FILE_FLAG_FIRST_PIPE_INSTANCE : 0);
  client->pipe = CreateNamedPipeW(events->name, mode, PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
                                  PIPE_UNLIMITED_INSTANCES, 64, BUFFER, 0, &attributes);
  if (client->pipe == INVALID_HANDLE_VALUE) {
    const uint32_t error = GetLastError();
    free(client);
    return error;
  }
  EnterCriticalSection(&events->lock);
  client->next = events->clients;
  events->clients = client;
  events->count++;
  events->listening++;
  LeaveCriticalSection(&events->lock);
  if (!CreateIoCompletionPort(client->pipe, events->port, 0, 0)) {
    const uint32_t error = GetLastError();
    drop(events, client);
    return error;
  }
  if (ConnectNamedPipe(client->pipe, &client->overlapped) || GetLastError() == ERROR_IO_PENDING) return 0;
  /* Somebody was faster: no completion comes by itself. */
  const uint32_t error = GetLastError();
  if (error == ERROR_PIPE_CONNECTED && PostQueuedCompletionStatus(events->port, 0, 0, &client->overlapped)) return 0;
  drop(events, client);
  return error == ERROR_NO_DATA ? 0 : error;
}

static void keep_listening(struct bh_events *events) {
  while (!events->closing && events->listening < LISTENERS && events->count < MOST_CLIENTS) {
    if (listen_once(events, false) != 0) break;
  }
}

static bool in_job(HANDLE job, uint32_t pid) {
  BOOL inside = FALSE;
  /* The smaller right is enough for Windows, but not for Wine. */
  HANDLE process = OpenProcess(PROCESS_QUERY_INFORMATION, FALSE, pid);
  if (!process) process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
  if (!process) return false;
  if (!IsProcessInJob(process, job, &inside)) inside = FALSE;
  CloseHandle(process);
  return inside;
}

/* One byte; there is room for it, or the client is not worth waiting for. The low bit keeps the completion out of the port. */
static bool say(struct client *client, uint8_t byte) {
  OVERLAPPED overlapped = {0};
  DWORD written = 0;
  HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
  if (!event) return false;
  overlapped.hEvent = (HANDLE)((ULONG_PTR)event | 1);
  BOOL ok = WriteFile(client->pipe, &byte, 1, NULL, &overlapped);
  if (!ok && GetLastError() == ERROR_IO_PENDING) {
    CancelIoEx(client->pipe, &overlapped);
    ok = TRUE;
  }
  if (ok) ok = GetOverlappedResult(client->pipe, &overlapped, &written, TRUE);
  CloseHandle(event);
  return ok && written == 1;
}

static bool knows(const struct bh_events *events, uint32_t pid) {
  for (size_t i = 0; i < events->known_count; i++) {
    if (events->known[i] == pid) return true;
  }
  return false;
}

static void remember(struct bh_events *events, uint32_t pid) {
  EnterCriticalSection(&events->lock);
  if (!knows(events, pid)) {
    if (events->known_count == events->known_room) {
      const size_t room = events->known_room * 2 + 64;
      uint32_t *grown = realloc(events->known, room * sizeof(uint32_t));
      if (grown) {
        events->known = grown;
        events->known_room = room;
      }
    }
    if (events->known_count < events->known_room) events->known[events->known_count++] = pid;
  }
  LeaveCriticalSection(&events->lock);
}

static bool may_emit(struct bh_events *events, bool always) {
  const ULONGLONG now = GetTickCount64();
  events->tokens += (double)(now - events->refilled) * (EVENTS_PER_SECOND / 1000.0);
  if (events->tokens > EVENT_BURST) events->tokens = EVENT_BURST;
  events->refilled = now;
  if (events->tokens < 1 && !always) return false;
  events->tokens -= 1;
  return true;
}

static void count_lost(struct bh_events *events, uint32_t more) {
  events->lost = more > UINT32_MAX - events->lost ? UINT32_MAX : events->lost + more;
}

static void report(struct bh_events *events, const struct client *client, const struct bh_hook_frame *frame) {
  const bool kill = frame->action == BH_HOOK_KILL;
  count_lost(events, frame->lost);
  if (!may_emit(events, kill)) {
    count_lost(events, 1);
    return;
  }
  const struct bh_hook_event event = {.rule = frame->rule,
                                      .act = bh_hook_act_name(frame->act),
                                      .action = bh_hook_action_name(frame->action),
                                      .pid = client->pid,
                                      .lost = events->lost,
                                      .program = frame->program,
                                      .object = frame->object};
  events->lost = 0;
  events->handler.event(events->handler.context, &event);
  if (kill) events->handler.kill(events->handler.context, frame->rule);
}

static void forward_question(struct bh_events *events, struct client *client, const struct bh_hook_frame *frame) {
  EnterCriticalSection(&events->lock);
  if (++events->questions == 0) events->questions = 1;
  client->question = events->questions;
  LeaveCriticalSection(&events->lock);
  const struct bh_hook_event event = {.rule = frame->rule,
                                      .act = bh_hook_act_name(frame->act),
                                      .action = bh_hook_action_name(BH_HOOK_ASK),
                                      .pid = client->pid,
                                      .program = frame->program,
                                      .object = frame->object};
  events->handler.ask(events->handler.context, client->question, &event);
}

/* False: this is no client of ours, or not in a way we know. */
static bool hear(struct bh_events *events, struct client *client, const struct bh_hook_frame *frame) {
  if (!client->greeted) {
    if (frame->type != BH_HOOK_HELLO || frame->version != BH_HOOK_POLICY_VERSION) return false;
    /* First: with the answer the process goes on, and may be over before we are. */
    remember(events, client->pid);
    client->greeted = true;
    return say(client, 1);
  }
  /* Questions and events come on connections of their own. */
  if (frame->type == BH_HOOK_EVENT && client->question == 0 && frame->action != BH_HOOK_ASK) {
    report(events, client, frame);
    return true;
  }
  if (frame->type != BH_HOOK_QUESTION || client->question != 0) return false;
  forward_question(events, client, frame);
  return true;
}

static bool hear_all(struct bh_events *events, struct client *client) {
  size_t at = 0;
  for (;;) {
    struct bh_hook_frame frame;
    const long taken = bh_hook_frame_read(client->bytes + at, client->length - at, &frame);
    if (taken < 0 || (taken > 0 && !hear(events, client, &frame))) return false;
    if (taken == 0) break;
    at += (size_t)taken;
  }
  memmove(client->bytes, client->bytes + at, client->length - at);
  client->length -= at;
  return true;
}

static bool read_more(struct client *client) {
  memset(&client->overlapped, 0, sizeof(client->overlapped));
  const DWORD room = (DWORD)(sizeof(client->bytes) - client->length);
  return ReadFile(client->pipe, client->bytes + client->length, room, NULL, &client->overlapped) || GetLastError() == ERROR_IO_PENDING;
}

static bool welcome(struct bh_events *events, struct client *client) {
  ULONG pid = 0;
  EnterCriticalSection(&events->lock);
  client->state = READING;
  events->listening--;
  LeaveCriticalSection(&events->lock);
  keep_listening(events);
  if (!GetNamedPipeClientProcessId(client->pipe, &pid) || !in_job(events->job, pid)) return false;
  client->pid = pid;
  return true;
}

/* An operation of the client is over. */
static void go_on(struct bh_events *events, struct client *client, bool ok, DWORD bytes) {
  if (ok && client->state == LISTENING) {
    ok = !events->closing && welcome(events, client);
  } else if (ok) {
    client->length += bytes;
    ok = bytes > 0 && hear_all(events, client);
  }
  if (!ok || !read_more(client)) {
    drop(events, client);
    keep_listening(events);
  }
}

static void stop_listening(struct bh_events *events) {
  events->closing = true;
  EnterCriticalSection(&events->lock);
  for (struct client *client = events->clients; client; client = client->next) {
    if (client->state == LISTENING) CancelIoEx(client->pipe, &client->overlapped);
  }
  LeaveCriticalSection(&events->lock);
}

static DWORD WINAPI serve(void *context) {
  struct bh_events *events = context;
  ULONGLONG until = 0;
  while (!events->closing || events->clients) {
    DWORD bytes = 0;
    ULONG_PTR key = 0;
    OVERLAPPED *overlapped = NULL;
    const ULONGLONG now = GetTickCount64();
    if (events->closing && now >= until) break;
    const BOOL ok = GetQueuedCompletionStatus(events->port, &bytes, &key, &overlapped, events->closing ? (DWORD)(until - now) : INFINITE);
    if (overlapped) {
      go_on(events, (struct client *)(void *)overlapped, ok, bytes);
    } else if (ok && key == CLOSE_KEY) {
      until = GetTickCount64() + CLOSE_PATIENCE;
      stop_listening(events);
    } else if (!ok && GetLastError() != WAIT_TIMEOUT) {
      break;
    }
  }
  return 0;
}

static void discard(struct bh_events *events) {
  struct client *next;
  for (struct client *client = events->clients; client; client = next) {
    DWORD bytes;
    next = client->next;
    CancelIoEx(client->pipe, &client->overlapped);
    GetOverlappedResult(client->pipe, &client->overlapped, &bytes, TRUE);
    CloseHandle(client->pipe);
    free(client);
  }
  if (events->thread) CloseHandle(events->thread);
  if (events->port) CloseHandle(events->port);
  LocalFree(events->security);
  DeleteCriticalSection(&events->lock);
  free(events->known);
  free(events);
}

uint32_t bh_events_open(HANDLE job, PSID launch_sid, PSID user_sid, const struct bh_events_handler *handler, struct bh_events **opened) {
  struct bh_events *events = calloc(1, sizeof(*events));
  if (!events) return ERROR_NOT_ENOUGH_MEMORY;
  InitializeCriticalSection(&events->lock);
  events->job = job;
  events->handler = *handler;
  events->tokens = EVENT_BURST;
  events->refilled = GetTickCount64();
  uint32_t error = invent_name(events->name);
  if (error == 0) error = describe(launch_sid, user_sid, &events->security);
  if (error == 0) {
    events->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    if (!events->port) error = GetLastError();
  }
  for (size_t i = 0; error == 0 && i < LISTENERS; i++) error = listen_once(events, i == 0);
  if (error == 0) {
    events->thread = CreateThread(NULL, 0, serve, events, 0, NULL);
    if (!events->thread) error = GetLastError();
  }
  if (error != 0) {
    discard(events);
    return error;
  }
  *opened = events;
  return 0;
}

const wchar_t *bh_events_pipe(const struct bh_events *events) { return events->name; }

void bh_events_answer(struct bh_events *events, uint32_t question, bool allow) {
  EnterCriticalSection(&events->lock);
  for (struct client *client = events->clients; client; client = client->next) {
    if (client->question == question && question != 0) say(client, allow ? 1 : 0);
  }
  LeaveCriticalSection(&events->lock);
}

bool bh_events_knows(struct bh_events *events, uint32_t pid) {
  EnterCriticalSection(&events->lock);
  const bool known = knows(events, pid);
  LeaveCriticalSection(&events->lock);
  return known;
}

void bh_events_close(struct bh_events *events) {
  PostQueuedCompletionStatus(events->port, 0, CLOSE_KEY, NULL);
  /* A thread that hangs in a handler still uses all this: then it stays. */
  if (WaitForSingleObject(events->thread, CLOSE_PATIENCE * 2) == WAIT_OBJECT_0) discard(events);
}
