#include "supervise.h"

#include <stdio.h>
#include <stdlib.h>

#include "bulkhead.h"
#include "bystander.h"
#include "channel.h"
#include "command.h"
#include "fault.h"
#include "interrupt.h"
#include "job.h"
#include "probe.h"
#include "spawn.h"
#include "streams.h"
#include "walls.h"
#include "watch.h"

/* What a completion is about. */
enum { FROM_ORCHESTRATOR = 1, FROM_PROBE, FROM_JOB, FROM_AGENT };

/* Signals as Linux numbers them. */
enum { SIGNAL_INT = 2, SIGNAL_KILL = 9, SIGNAL_TERM = 15 };

/* Milliseconds between looks at what no message comes about. */
#define LOOK 500

struct supervised {
  const struct bh_spec *spec;
  struct bh_ends ends;
  CRITICAL_SECTION speaking; /* whole frames only, from whatever thread */
  HANDLE port;
  struct bh_walls walls;
  struct bh_watch watch;
  struct bh_bystander bystander;
  struct bh_streams streams;
  HANDLE to_probe, from_probe; /* our ends */
  PROCESS_INFORMATION probe, agent;
  HANDLE agent_wait;
  bool held, told_to_start, started, failed, over;
  bool killed; /* by us */
  uint32_t signalled; /* the last signal that was passed on */
  uint32_t refusal; /* exit code for a command that could not be executed */
  volatile LONG rule; /* of the kill; -1 */
};

static void tell(struct supervised *s, struct bh_writer *w) {
  /* An orchestrator that is gone hears nothing; its end of the pipe ends us. */
  EnterCriticalSection(&s->speaking);
  (void)bh_send(w, s->ends.output);
  LeaveCriticalSection(&s->speaking);
}

static void close_handle(HANDLE *handle) {
  if (*handle && *handle != INVALID_HANDLE_VALUE) CloseHandle(*handle);
  *handle = NULL;
}

static void end_sandbox(struct supervised *s) {
  s->over = true;
}

static void kill_sandbox(struct supervised *s) {
  s->killed = true;
  end_sandbox(s);
}

static void fail(struct supervised *s, const struct bh_fault *fault) {
  struct bh_writer w;
  bh_begin(&w, BH_ERROR);
  bh_write_u32(&w, fault->code);
  bh_write_text(&w, fault->operation);
  if (!s->failed) tell(s, &w);
  s->failed = true;
  kill_sandbox(s);
}

static void write_process(struct bh_writer *w, const PROCESS_INFORMATION *process) {
  char time[32];
  bh_start_time(process->hProcess, time, sizeof(time));
  bh_write_u32(w, process->dwProcessId);
  bh_write_text(w, time);
}

/* These three run on the thread of the event pipe. */
static void write_event(struct bh_writer *w, const struct bh_hook_event *event, bool question) {
  bh_write_u32(w, event->rule);
  bh_write_text(w, event->act);
  if (!question) bh_write_text(w, event->action);
  bh_write_u32(w, event->pid);
  if (!question) bh_write_u32(w, event->lost);
  bh_write_text(w, event->program);
  bh_write_text(w, event->object);
}

static void intercepted(void *context, const struct bh_hook_event *event) {
  struct bh_writer w;
  bh_begin(&w, BH_INTERCEPTED);
  write_event(&w, event, false);
  tell(context, &w);
}

static void asked(void *context, uint32_t question, const struct bh_hook_event *event) {
  struct bh_writer w;
  bh_begin(&w, BH_ASK);
  bh_write_u32(&w, question);
  write_event(&w, event, true);
  tell(context, &w);
}

static void killed_by_rule(void *context, uint32_t rule) {
  struct supervised *s = context;
  InterlockedCompareExchange(&s->rule, (LONG)rule, -1);
  TerminateJobObject(s->walls.job, BH_HOOK_EXIT_KILLED);
}

/* A pipe of which the probe gets one end, which is inheritable. Its other end is opened by name inside CreatePipe: what we make is sealed. */
static int make_pipe(const struct supervised *s, HANDLE *ours, HANDLE *theirs, bool to_probe, struct bh_fault *fault) {
  HANDLE read = NULL, write = NULL;
  SECURITY_ATTRIBUTES guard = {sizeof(guard), s->walls.guard, FALSE};
  if (!CreatePipe(&read, &write, &guard, 0)) return bh_fault(fault, 0, "pipe of the probe", NULL);
  *ours = to_probe ? write : read;
  *theirs = to_probe ? read : write;
  return SetHandleInformation(*theirs, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT) ? 0 : bh_fault(fault, 0, "pipe of the probe", NULL);
}

static int spawn_probe(struct supervised *s, HANDLE input, HANDLE output, struct bh_fault *fault) {
  wchar_t arguments[40];
  _snwprintf(arguments, sizeof(arguments) / sizeof(*arguments), BH_PROBE_ARGUMENT L" %lu", s->bystander.pid);
  struct bh_start start = {.streams = {input, output, NULL}};
  if (bh_spawn_own(&s->walls, arguments, &start, &s->probe, fault) == 0) return 0;
  if (fault->code != ERROR_ACCESS_DENIED || !bh_walls_relax(&s->walls, s->spec, s->port, FROM_JOB)) return -1;
  return bh_spawn_own(&s->walls, arguments, &start, &s->probe, fault);
}

static int start_probe(struct supervised *s, struct bh_fault *fault) {
  HANDLE input = NULL, output = NULL;
  int result = make_pipe(s, &s->to_probe, &input, true, fault);
  if (result == 0) result = make_pipe(s, &s->from_probe, &output, false, fault);
  if (result == 0) result = spawn_probe(s, input, output, fault);
  close_handle(&input);
  close_handle(&output);
  if (result < 0) return -1;
  const struct bh_events_handler handler = {s, intercepted, asked, killed_by_rule};
  if (bh_watch_open(&s->watch, s->spec, s->walls.job, &handler, fault) < 0) return -1;
  if (bh_watch_enter(&s->watch, &s->probe, true, fault) < 0) return -1;
  if (!bh_feed(s->from_probe, s->port, FROM_PROBE)) return bh_fault(fault, 0, "starting a thread", NULL);
  if (ResumeThread(s->probe.hThread) == (DWORD)-1) return bh_fault(fault, 0, "resuming the probe", NULL);
  return 0;
}

static int begin(struct supervised *s, struct bh_fault *fault) {
  s->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
  if (!s->port) return bh_fault(fault, 0, "completion port", NULL);
  if (bh_streams_open(&s->streams, s->spec, &s->ends, fault) < 0) return -1;
  if (s->spec->has_token && bh_bystander_start(&s->bystander, fault) < 0) return -1;
  if (bh_walls_make(&s->walls, s->spec, s->port, FROM_JOB, fault) < 0) return -1;
  if (start_probe(s, fault) < 0) return -1;
  return bh_feed(s->ends.input, s->port, FROM_ORCHESTRATOR) ? 0 : bh_fault(fault, 0, "starting a thread", NULL);
}

static VOID CALLBACK agent_ended(PVOID parameter, BOOLEAN timed_out) {
  (void)timed_out;
  PostQueuedCompletionStatus(((struct supervised *)parameter)->port, 0, FROM_AGENT, NULL);
}

static void tell_started(struct supervised *s) {
  struct bh_writer w;
  bh_begin(&w, BH_STARTED);
  write_process(&w, &s->agent);
  tell(s, &w);
}

/* The command itself is what cannot be started, not the sandbox. */
static void refuse_command(struct supervised *s, uint32_t code) {
  struct bh_writer w;
  bh_begin(&w, BH_EXEC_FAILED);
  bh_write_u32(&w, code);
  tell(s, &w);
  s->refusal = code == ERROR_FILE_NOT_FOUND ? 127 : 126;
  end_sandbox(s);
}

static void start_agent(struct supervised *s) {
  struct bh_fault fault;
  struct bh_command command;
  const uint32_t code = bh_command_find(s->spec->argv, s->walls.directory, s->walls.environment, &command);
  if (code != 0) {
    refuse_command(s, code);
    return;
  }
  const HANDLE *child = s->streams.child;
  const struct bh_start start = {
      .file = command.file, .line = command.line, .streams = {child[0], child[1], child[2]}, .console = s->streams.console};
  const int result = bh_spawn(&s->walls, &start, &s->agent, &fault);
  bh_command_free(&command);
  bh_streams_given(&s->streams);
  if (result < 0) {
    refuse_command(s, fault.code);
    return;
  }
  if (!RegisterWaitForSingleObject(&s->agent_wait, s->agent.hProcess, agent_ended, s, INFINITE, WT_EXECUTEONLYONCE)) {
    bh_fault(&fault, 0, "waiting for the command", NULL);
    fail(s, &fault);
    return;
  }
  if (bh_watch_enter(&s->watch, &s->agent, false, &fault) < 0) {
    fail(s, &fault);
    return;
  }
  if (ResumeThread(s->agent.hThread) == (DWORD)-1) {
    bh_fault(&fault, 0, "resuming the command", NULL);
    fail(s, &fault);
    return;
  }
  s->started = true;
  tell_started(s);
}

/* It ends by itself when its input does; one that does not is not waited for. */
static void end_probe(struct supervised *s) {
  close_handle(&s->to_probe);
  if (WaitForSingleObject(s->probe.hProcess, 5000) != WAIT_OBJECT_0) TerminateProcess(s->probe.hProcess, 1);
  WaitForSingleObject(s->probe.hProcess, INFINITE);
}

static void probe_ended(struct supervised *s) {
  end_probe(s);
  bh_bystander_end(&s->bystander);
  if (s->told_to_start) {
    start_agent(s);
    return;
  }
  DWORD code = 0;
  struct bh_fault fault;
  GetExitCodeProcess(s->probe.hProcess, &code);
  char text[32];
  snprintf(text, sizeof(text), "0x%lX", code);
  bh_fault(&fault, ERROR_PROCESS_ABORTED, "the probe of the sandbox ended with", text);
  fail(s, &fault);
}

static void hear_probe(struct supervised *s, struct bh_letter *letter) {
  if (!letter) {
    probe_ended(s);
    return;
  }
  struct bh_writer w;
  bh_begin(&w, letter->payload[0]);
  if (letter->payload[0] == BH_HELD && letter->length == 1 && !s->held) {
    s->held = true;
    write_process(&w, &s->probe);
    bh_write_u32(&w, 0);
    tell(s, &w);
  } else if (letter->payload[0] == BH_OUTCOMES && s->held) {
    bh_write_bytes(&w, letter->payload + 1, letter->length - 1);
    tell(s, &w);
  } else {
    bh_discard(&w);
    kill_sandbox(s);
  }
}

static void signal_agent(struct supervised *s, uint32_t number) {
  if (number == SIGNAL_KILL) {
    kill_sandbox(s);
  } else if (s->started && (number == SIGNAL_INT || number == SIGNAL_TERM)) {
    s->signalled = number;
    (void)bh_interrupt(&s->walls, s->streams.console);
  }
}

static void obey(struct supervised *s, struct bh_letter *letter) {
  if (!letter) {
    kill_sandbox(s);
    return;
  }
  struct bh_reader r = {letter->payload + 1, letter->length - 1, false};
  switch (letter->payload[0]) {
    case BH_ATTEMPT: {
      struct bh_writer w;
      bh_begin(&w, BH_ATTEMPT);
      bh_write_bytes(&w, letter->payload + 1, letter->length - 1);
      if (!s->to_probe || !bh_send(&w, s->to_probe)) kill_sandbox(s);
      break;
    }
    case BH_START:
      s->told_to_start = true;
      close_handle(&s->to_probe);
      break;
    case BH_SIGNAL:
      signal_agent(s, bh_read_u32(&r));
      break;
    case BH_VERDICT: {
      const uint32_t question = bh_read_u32(&r);
      bh_watch_answer(&s->watch, question, bh_read_u8(&r) == 1);
      break;
    }
    case BH_RESIZE: {
      const uint32_t columns = bh_read_u32(&r);
      bh_streams_resize(&s->streams, columns, bh_read_u32(&r));
      break;
    }
    default: /* BH_KILL, and anything we do not know */
      kill_sandbox(s);
  }
}

static void serve(struct supervised *s) {
  while (!s->over) {
    DWORD bytes;
    ULONG_PTR key = 0;
    OVERLAPPED *told = NULL;
    if (GetQueuedCompletionStatus(s->port, &bytes, &key, &told, LOOK)) {
      struct bh_letter *letter = (struct bh_letter *)told;
      switch (key) {
        case FROM_ORCHESTRATOR:
          obey(s, letter);
          break;
        case FROM_PROBE:
          hear_probe(s, letter);
          break;
        case FROM_AGENT:
          end_sandbox(s);
          break;
      }
      if (letter && key != FROM_JOB) {
        free(letter->payload);
        free(letter);
      }
    }
    if (s->started && s->spec->limits_files) bh_job_end_hoarders(s->walls.job, s->spec->files);
  }
}

/* No message is sure to come (JOBOBJECT_ASSOCIATE_COMPLETION_PORT), so it is the count that decides. */
static void end_every_process(struct supervised *s) {
  while (s->walls.job && !bh_job_is_empty(s->walls.job)) {
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *told;
    TerminateJobObject(s->walls.job, 1);
    GetQueuedCompletionStatus(s->port, &bytes, &key, &told, 20);
  }
}

static void tell_gone(struct supervised *s) {
  DWORD code = s->refusal;
  uint32_t signal = SIGNAL_KILL;
  bool exited = s->refusal != 0;
  /* A command that had ended before we ended the rest tells its own code. */
  if (s->agent.hProcess && !s->killed && s->rule < 0) exited = GetExitCodeProcess(s->agent.hProcess, &code) != 0;
  if (exited && s->signalled != 0 && code == (DWORD)STATUS_CONTROL_C_EXIT) {
    exited = false;
    signal = s->signalled;
  }
  struct bh_writer w;
  bh_begin(&w, BH_GONE);
  bh_write_u8(&w, exited ? 0 : 1);
  bh_write_u32(&w, exited ? code : signal);
  bh_write_u32(&w, (uint32_t)s->rule);
  tell(s, &w);
}

static void finish(struct supervised *s) {
  bh_bystander_end(&s->bystander);
  end_every_process(s);
  bh_runner_sweep();
  bh_watch_close(&s->watch);
  bh_streams_finish(&s->streams);
  tell_gone(s);
  if (s->agent_wait) UnregisterWaitEx(s->agent_wait, INVALID_HANDLE_VALUE);
  bh_walls_close(&s->walls);
}

void bh_supervise(const struct bh_spec *spec, const struct bh_ends *ends) {
  struct supervised s = {.spec = spec, .ends = *ends, .rule = -1};
  struct bh_fault fault;
  InitializeCriticalSection(&s.speaking);
  if (begin(&s, &fault) < 0) {
    fail(&s, &fault);
  } else {
    serve(&s);
  }
  finish(&s);
}
