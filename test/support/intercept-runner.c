/*
 * Drives native/src/linux/intercept without the rest of the native module.
 *
 *   glob                           stdin: pattern NUL text NUL ...; prints 0 or 1 for each pair
 *   table ACTS                     what the program does with every number below 1024, by an interpreter: "number action";
 *                                  4294967295: the program that goes with the token
 *   names                          of all attempts
 *   attempt [--open] NAME...       prints "name errno"; with --open without the filter
 *   run [--rule 'ACT ACTION GLOB']... [--held yes|no] [--boxed yes|no] (--attempt NAME | -- CMD ARGS...)
 *                                  under the filter and a supervisor; events and the end as JSON lines on descriptor 3
 *   cost N                         nanoseconds: install, then getppid / unlink plain, filtered, supervised
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "linux/intercept.h"
#include "linux/intercept/program.h"

static void die(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(99);
}

static int globs(void) {
  static char input[1 << 24];
  size_t size = 0;
  for (;;) {
    const ssize_t got = read(0, input + size, sizeof(input) - size);
    if (got < 0) die("read");
    if (got == 0) break;
    size += (size_t)got;
  }
  for (const char *at = input; at < input + size;) {
    const char *text = at + strlen(at) + 1;
    putchar(bh_glob_match(at, text) ? '1' : '0');
    at = text + strlen(text) + 1;
  }
  return 0;
}

/* The part of BPF that seccomp allows and the program uses. */
static uint32_t interpret(const struct bh_program *program, const struct seccomp_data *data) {
  uint32_t a = 0;
  for (unsigned pc = 0; pc < program->length; pc++) {
    const struct sock_filter *i = &program->code[pc];
    switch (i->code) {
      case BPF_LD | BPF_W | BPF_ABS: memcpy(&a, (const char *)data + i->k, 4); break;
      case BPF_JMP | BPF_JEQ | BPF_K: pc += a == i->k ? i->jt : i->jf; break;
      case BPF_JMP | BPF_JGE | BPF_K: pc += a >= i->k ? i->jt : i->jf; break;
      case BPF_JMP | BPF_JSET | BPF_K: pc += (a & i->k) != 0 ? i->jt : i->jf; break;
      case BPF_JMP | BPF_JA: pc += i->k; break;
      case BPF_ALU | BPF_AND | BPF_K: a &= i->k; break;
      case BPF_RET | BPF_K: return i->k;
      default: fprintf(stderr, "opcode %x\n", i->code); exit(99);
    }
  }
  fprintf(stderr, "fell off the end\n");
  exit(99);
}

static int table(uint32_t acts) {
  static uint8_t verdicts[BH_CALL_COUNT];
  static struct bh_program program;
  if (acts == UINT32_MAX) bh_calls_fill_traces(verdicts);
  else bh_calls_fill(verdicts, acts);
  if (bh_program_build(&program, verdicts) < 0) return 99;
  printf("length %u\n", program.length);
  struct seccomp_data data = {0};
#ifdef __x86_64__
  data.arch = AUDIT_ARCH_X86_64;
#else
  data.arch = AUDIT_ARCH_AARCH64;
#endif
  for (int number = 0; number < 1024; number++) {
    data.nr = number;
    printf("%d %d %x\n", number, number < BH_CALL_COUNT ? verdicts[number] : 0, interpret(&program, &data));
  }
  return 0;
}

static int attempts(char **names) {
  if (strcmp(names[0], "--open") == 0) {
    names++;
  } else {
    int listener;
    const char *operation;
    errno = -bh_intercept_install(&(struct bh_interception){NULL, 0}, &listener, &operation);
    if (errno != 0 || listener != -1) die(operation);
  }
  for (; *names != NULL; names++) {
    printf("%s %d\n", *names, bh_attempt_syscall(*names));
    fflush(stdout);
  }
  return 0;
}

static void send_listener(int to, int fd) {
  char byte = fd >= 0 ? 'l' : '-';
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
  } control = {0};
  struct iovec iov = {&byte, 1};
  struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
  if (fd >= 0) {
    message.msg_control = &control;
    message.msg_controllen = sizeof(control);
    control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
  }
  if (sendmsg(to, &message, 0) != 1) die("sendmsg");
  if (fd >= 0) close(fd);
}

static int receive_listener(int from) {
  char byte;
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
  } control = {0};
  struct iovec iov = {&byte, 1};
  struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
  if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) != 1) die("recvmsg");
  if (byte == '-') return -1;
  int fd;
  memcpy(&fd, CMSG_DATA(&control.header), sizeof(int));
  return fd;
}

static void emit(void *context, const struct bh_intercept_event *event) {
  FILE *out = context;
  fprintf(out, "{\"rule\":%u,\"on\":\"%s\",\"action\":\"%s\",\"pid\":%d,\"lost\":%u,\"program\":\"", event->rule,
          bh_act_name(event->act), bh_action_name(event->action), (int)event->pid, event->lost);
  for (const char *c = event->program; *c != '\0'; c++) fprintf(out, "%02x", (unsigned char)*c);
  fprintf(out, "\",\"object\":\"");
  for (const char *c = event->object; *c != '\0'; c++) fprintf(out, "%02x", (unsigned char)*c);
  fprintf(out, "\"}\n");
  fflush(out);
}

static struct bh_intercept_rule rules[64];
static struct bh_interception interception = {rules, 0};

static void add_rule(char *text) {
  const char *act = strtok(text, " ");
  const char *action = strtok(NULL, " ");
  const char *match = strtok(NULL, "");
  rules[interception.count] = (struct bh_intercept_rule){.id = (uint32_t)interception.count,
                                                         .act = (uint8_t)bh_act_from_name(act),
                                                         .action = (uint8_t)bh_action_from_name(action),
                                                         .match = match};
  interception.count++;
}

static void put_file(const char *path, const char *format, unsigned value) {
  char text[64];
  const int length = snprintf(text, sizeof(text), format, value);
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, text, (size_t)length) != length) die(path);
  close(fd);
}

static void bind_at(const char *source, const char *target) {
  if (mkdir(target, 0755) < 0 || mount(source, target, NULL, MS_BIND | MS_REC, NULL) < 0) die(target);
}

/* A small root of our own, so that paths and pids inside are not those of the supervisor. */
static void enter_box(uid_t uid, gid_t gid) {
  put_file("/proc/self/setgroups", "deny", 0);
  put_file("/proc/self/uid_map", "1000 %u 1", uid);
  put_file("/proc/self/gid_map", "1000 %u 1", gid);
  char here[4096];
  if (getcwd(here, sizeof(here)) == NULL) die("getcwd");
  const int workspace = open(here, O_PATH | O_CLOEXEC);
  char by_descriptor[32];
  snprintf(by_descriptor, sizeof(by_descriptor), "/proc/self/fd/%d", workspace);
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("box", "/tmp", "tmpfs", 0, NULL) < 0) die("tmpfs");
  bind_at("/usr", "/tmp/usr");
  bind_at(by_descriptor, "/tmp/workspace");
  static const char *const links[] = {"bin", "sbin", "lib", "lib64"};
  for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
    char from[32], to[32];
    snprintf(from, sizeof(from), "/tmp/%s", links[i]);
    snprintf(to, sizeof(to), "usr/%s", links[i]);
    if (symlink(to, from) < 0) die(from);
  }
  if (mkdir("/tmp/proc", 0755) < 0 || mount("proc", "/tmp/proc", "proc", 0, NULL) < 0) die("proc");
  if (chdir("/tmp") < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0) die("pivot_root");
  if (chdir("/workspace") < 0) die("/workspace");
}

static void child(int channel, const char *attempt, char **command) {
  int listener;
  const char *operation;
  setsid();
  errno = -bh_intercept_install(&interception, &listener, &operation);
  if (errno != 0) die(operation);
  send_listener(channel, listener);
  close(channel);
  if (attempt != NULL) {
    printf("%d\n", bh_attempt_syscall(attempt));
    fflush(stdout);
    _exit(0);
  }
  execvp(command[0], command);
  _exit(errno == EACCES ? 126 : 127);
}

static int run(char **argv) {
  const char *attempt = NULL;
  static struct bh_supervisor supervisor;
  bool held = false, boxed = false;
  for (; *argv != NULL && strcmp(*argv, "--") != 0; argv += 2) {
    if (strcmp(*argv, "--rule") == 0) add_rule(argv[1]);
    if (strcmp(*argv, "--attempt") == 0) attempt = argv[1];
    if (strcmp(*argv, "--held") == 0) held = argv[1][0] == 'y';
    if (strcmp(*argv, "--boxed") == 0) boxed = argv[1][0] == 'y';
  }
  int channel[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) < 0) die("socketpair");
  const uid_t uid = getuid();
  const gid_t gid = getgid();
  const unsigned long namespaces = boxed ? CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID : 0;
  const pid_t pid = (pid_t)syscall(SYS_clone, namespaces | SIGCHLD, 0, 0, 0, 0);
  if (pid < 0) die("clone");
  if (pid == 0) {
    if (boxed) enter_box(uid, gid);
    close(channel[0]);
    close(3);
    child(channel[1], attempt, argv + 1);
  }
  close(channel[1]);
  FILE *out = fdopen(3, "w");
  if (out == NULL) die("descriptor 3");
  const int listener = receive_listener(channel[0]);
  if (listener >= 0 && bh_supervisor_open(&supervisor, &interception, listener) < 0) die("supervisor");
  bh_supervisor_hold(&supervisor, held);
  const int process = (int)syscall(SYS_pidfd_open, pid, 0);
  struct pollfd ready[2] = {{.fd = process, .events = POLLIN}, {.fd = listener, .events = POLLIN}};
  int64_t killed = -1;
  while ((ready[0].revents & POLLIN) == 0) {
    if (poll(ready, 2, 20000) == 0) {
      fprintf(stderr, "nothing happens any more\n");
      kill(-pid, SIGKILL);
      return 98;
    }
    if (ready[1].revents == 0) continue;
    uint32_t rule;
    switch (bh_intercept_serve(&supervisor, emit, out, &rule)) {
      case BH_SERVED: break;
      case BH_SERVED_KILL:
        killed = rule;
        kill(-pid, SIGKILL);
        break;
      case BH_SERVED_GONE: ready[1].fd = -1; break;
    }
  }
  int status;
  waitpid(pid, &status, 0);
  fprintf(out, "{\"code\":%d,\"signal\":%d,\"killed\":%d}\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1,
          WIFSIGNALED(status) ? WTERMSIG(status) : 0, (int)killed);
  fclose(out);
  bh_supervisor_close(&supervisor);
  return 0;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *samples, size_t count) {
  qsort(samples, count, sizeof(*samples), compare);
  return samples[count / 2];
}

static double time_call(long number, const char *path, int count) {
  double *samples = calloc((size_t)count, sizeof(*samples));
  for (int i = 0; i < count; i++) {
    const double start = now();
    if (path != NULL) {
      syscall(number, AT_FDCWD, path, 0);
    } else {
      syscall(number);
    }
    samples[i] = now() - start;
  }
  const double result = median(samples, (size_t)count);
  free(samples);
  return result;
}

static void cost_child(int channel, int count) {
  const double plain_getppid = time_call(SYS_getppid, NULL, count), plain_unlink = time_call(SYS_unlinkat, "/nowhere/x", count);
  int listener;
  const char *operation;
  const double start = now();
  if (bh_intercept_install(&interception, &listener, &operation) < 0) die(operation);
  const double installed = now() - start;
  send_listener(channel, listener);
  const double getppid_after = time_call(SYS_getppid, NULL, count), unlink_after = time_call(SYS_unlinkat, "/nowhere/x", count);
  printf("install %.0f  getppid %.0f -> %.0f  unlinkat %.0f -> %.0f  (ns, median, %zu rules)\n", installed, plain_getppid,
         getppid_after, plain_unlink, unlink_after, interception.count);
  fflush(stdout);
  _exit(0);
}

static void quiet(void *context, const struct bh_intercept_event *event) {
  (void)context;
  (void)event;
}

static int cost(int count, char **argv) {
  for (; *argv != NULL; argv += 2) add_rule(argv[1]);
  int channel[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) < 0) die("socketpair");
  const pid_t pid = fork();
  if (pid == 0) cost_child(channel[1], count);
  static struct bh_supervisor supervisor;
  const int listener = receive_listener(channel[0]);
  if (listener >= 0) {
    bh_supervisor_open(&supervisor, &interception, listener);
    struct pollfd ready = {.fd = listener, .events = POLLIN};
    uint32_t rule;
    while (poll(&ready, 1, 20000) > 0 && bh_intercept_serve(&supervisor, quiet, NULL, &rule) == BH_SERVED) {
    }
  }
  waitpid(pid, NULL, 0);
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 2) return 99;
  if (strcmp(argv[1], "glob") == 0) return globs();
  if (strcmp(argv[1], "table") == 0 && argc > 2) return table((uint32_t)strtoul(argv[2], NULL, 0));
  if (strcmp(argv[1], "names") == 0) {
    for (const char *const *name = bh_attempt_names; *name != NULL; name++) puts(*name);
    return 0;
  }
  if (strcmp(argv[1], "attempt") == 0 && argc > 2) return attempts(argv + 2);
  if (strcmp(argv[1], "run") == 0) return run(argv + 2);
  if (strcmp(argv[1], "cost") == 0 && argc > 2) return cost(atoi(argv[2]), argv + 3);
  return 99;
}
