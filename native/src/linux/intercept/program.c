#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "no system call table for this architecture"
#endif

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define REFUSE(error) (SECCOMP_RET_ERRNO | (error))
#define NAMESPACES (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

/* Appends to a program; without one it only counts. */
struct writer {
  struct bh_program *program;
  size_t length;
};

static void put(struct writer *w, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf) {
  if (w->program != NULL && w->length < BH_PROGRAM_MAX) {
    w->program->code[w->length] = (struct sock_filter){.code = code, .jt = jt, .jf = jf, .k = k};
  }
  w->length++;
}

static void put_return(struct writer *w, uint32_t action) { put(w, BPF_RET | BPF_K, action, 0, 0); }

/* Integer arguments are compared as the kernel reads them, on their low 32 bits: a set high bit must not hide TIOCSTI. */
static void put_load_low(struct writer *w, unsigned argument) {
  put(w, BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offsetof(struct seccomp_data, args) + 8 * argument), 0, 0);
}

static void put_load_high(struct writer *w, unsigned argument) {
  put(w, BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offsetof(struct seccomp_data, args) + 8 * argument + 4), 0, 0);
}

static void put_return_if_equal(struct writer *w, uint32_t value, uint32_t action) {
  put(w, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
  put_return(w, action);
}

static void put_return_if_any_bit(struct writer *w, uint32_t mask, uint32_t action) {
  put(w, BPF_JMP | BPF_JSET | BPF_K, mask, 0, 1);
  put_return(w, action);
}

static void put_flags_check(struct writer *w, unsigned argument, uint32_t mask, uint32_t action) {
  put_load_low(w, argument);
  put_return_if_any_bit(w, mask, action);
  put_return(w, SECCOMP_RET_ALLOW);
}

static void put_mode_check(struct writer *w, unsigned argument) {
  put_load_low(w, argument);
  put(w, BPF_ALU | BPF_AND | BPF_K, S_IFMT, 0, 0);
  put_return_if_equal(w, S_IFCHR, REFUSE(EPERM));
  put_return_if_equal(w, S_IFBLK, REFUSE(EPERM));
  put_return(w, SECCOMP_RET_ALLOW);
}

#define SET_ID (S_ISUID | S_ISGID)
#define MAKES_FILE (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))

/* Without O_CREAT the mode is whatever was in the register. */
static void put_set_id_check_of_open(struct writer *w, unsigned flags) {
  put_load_low(w, flags);
  put(w, BPF_JMP | BPF_JSET | BPF_K, MAKES_FILE, 1, 0);
  put_return(w, SECCOMP_RET_ALLOW);
  put_flags_check(w, flags + 1, SET_ID, REFUSE(EPERM));
}

/* Done, says the kernel, and has done nothing. The old limit, which it has not filled in, must not be asked for at the same time. */
static void put_core_limit_check(struct writer *w, unsigned resource, bool both) {
  put_load_low(w, resource);
  put(w, BPF_JMP | BPF_JEQ | BPF_K, RLIMIT_CORE, 1, 0);
  put_return(w, SECCOMP_RET_ALLOW);
  if (both) {
    put_load_low(w, resource + 1);
    put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3);
    put_load_high(w, resource + 1);
    put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1);
    put_return(w, SECCOMP_RET_ALLOW);
    put_load_low(w, resource + 2);
    put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
    put_return(w, REFUSE(EPERM));
    put_load_high(w, resource + 2);
    put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
    put_return(w, REFUSE(EPERM));
  }
  put_return(w, REFUSE(0));
}

static void put_ioctl_check(struct writer *w) {
  static const uint32_t closed[] = {
      TIOCSTI, /* types into the terminal */
      0x541C, /* TIOCLINUX: pastes into a console */
      TIOCSETD, /* loads line disciplines */
      TIOCCONS, /* redirects the console */
  };
  put_load_low(w, 1);
  for (size_t i = 0; i < sizeof(closed) / sizeof(closed[0]); i++) put_return_if_equal(w, closed[i], REFUSE(EPERM));
  put_return(w, SECCOMP_RET_ALLOW);
}

static void put_personality_check(struct writer *w) {
  /* Asking; Linux; what setarch(8) and gdb set. Not READ_IMPLIES_EXEC and the foreign systems. */
  static const uint32_t open[] = {0xffffffff, 0, PER_LINUX32, UNAME26, PER_LINUX32 | UNAME26, ADDR_NO_RANDOMIZE};
  put_load_low(w, 0);
  for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) put_return_if_equal(w, open[i], SECCOMP_RET_ALLOW);
  put_return(w, REFUSE(EPERM));
}

static void put_socket_check(struct writer *w) {
  static const uint32_t protocols[] = {0, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_MPTCP};
  put_load_low(w, 0);
  put_return_if_equal(w, AF_UNIX, SECCOMP_RET_ALLOW);
  put(w, BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 4);
  put_load_low(w, 2);
  put_return_if_equal(w, NETLINK_ROUTE, SECCOMP_RET_ALLOW);
  put_return(w, REFUSE(EPROTONOSUPPORT));
  put(w, BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 2, 0);
  put(w, BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 1, 0);
  put_return(w, REFUSE(EAFNOSUPPORT));
  put_load_low(w, 1);
  put(w, BPF_ALU | BPF_AND | BPF_K, 0xf, 0, 0); /* SOCK_TYPE_MASK; the rest is SOCK_CLOEXEC and SOCK_NONBLOCK */
  put(w, BPF_JMP | BPF_JEQ | BPF_K, SOCK_STREAM, 2, 0);
  put(w, BPF_JMP | BPF_JEQ | BPF_K, SOCK_DGRAM, 1, 0);
  put_return(w, REFUSE(EPERM));
  put_load_low(w, 2);
  for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) put_return_if_equal(w, protocols[i], SECCOMP_RET_ALLOW);
  put_return(w, REFUSE(EPROTONOSUPPORT));
}

static void put_socketpair_check(struct writer *w) {
  put_load_low(w, 0);
  put_return_if_equal(w, AF_UNIX, SECCOMP_RET_ALLOW);
  put_return(w, REFUSE(EAFNOSUPPORT));
}

static void put_sendto_check(struct writer *w) {
  put_load_low(w, 4);
  put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3);
  put_load_high(w, 4);
  put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1);
  put_return(w, SECCOMP_RET_ALLOW);
  put_return(w, SECCOMP_RET_USER_NOTIF);
}

static void put_verdict(struct writer *w, enum bh_verdict verdict) {
  const uint32_t writing = O_ACCMODE | O_CREAT | O_TRUNC;
  switch (verdict) {
    case BH_VERDICT_ALLOW: put_return(w, SECCOMP_RET_ALLOW); return;
    case BH_VERDICT_REFUSE: put_return(w, REFUSE(EPERM)); return;
    case BH_VERDICT_CLONE: put_flags_check(w, 0, NAMESPACES, REFUSE(EPERM)); return;
    case BH_VERDICT_UNSHARE: put_flags_check(w, 0, NAMESPACES | CLONE_NEWTIME, REFUSE(EPERM)); return;
    case BH_VERDICT_SOCKET: put_socket_check(w); return;
    case BH_VERDICT_SOCKETPAIR: put_socketpair_check(w); return;
    case BH_VERDICT_IOCTL: put_ioctl_check(w); return;
    case BH_VERDICT_PERSONALITY: put_personality_check(w); return;
    case BH_VERDICT_MKNOD: put_mode_check(w, 1); return;
    case BH_VERDICT_MKNODAT: put_mode_check(w, 2); return;
    case BH_VERDICT_SET_ID_1: put_flags_check(w, 1, SET_ID, REFUSE(EPERM)); return;
    case BH_VERDICT_SET_ID_2: put_flags_check(w, 2, SET_ID, REFUSE(EPERM)); return;
    case BH_VERDICT_SET_ID_OPEN: put_set_id_check_of_open(w, 1); return;
    case BH_VERDICT_SET_ID_OPENAT: put_set_id_check_of_open(w, 2); return;
    case BH_VERDICT_SETRLIMIT: put_core_limit_check(w, 0, false); return;
    case BH_VERDICT_PRLIMIT: put_core_limit_check(w, 1, true); return;
    case BH_VERDICT_ASK: put_return(w, SECCOMP_RET_USER_NOTIF); return;
    case BH_VERDICT_ASK_OPEN: put_flags_check(w, 1, writing, SECCOMP_RET_USER_NOTIF); return;
    case BH_VERDICT_ASK_OPENAT: put_flags_check(w, 2, writing, SECCOMP_RET_USER_NOTIF); return;
    case BH_VERDICT_ASK_SENDTO: put_sendto_check(w); return;
    case BH_VERDICT_UNKNOWN: break;
  }
  put_return(w, REFUSE(ENOSYS));
}

/* Neighbouring numbers with one verdict; the last range reaches to the highest number there is. */
struct range {
  uint32_t first;
  enum bh_verdict verdict;
};

/*
 * A balanced tree of comparisons: about 7 for any call. Only loads of the number, jumps and returns stand before the verdict, so that
 * the kernel can prove calls that are always allowed and skip the program for them (seccomp_cache_prepare_bitmap, since 5.11).
 */
static void put_tree(struct writer *w, const struct range *ranges, size_t count) {
  if (count == 1) {
    put_verdict(w, ranges->verdict);
    return;
  }
  const size_t half = count / 2;
  struct writer left = {NULL, 0};
  put_tree(&left, ranges, half);
  if (left.length <= UINT8_MAX) {
    put(w, BPF_JMP | BPF_JGE | BPF_K, ranges[half].first, (uint8_t)left.length, 0);
  } else {
    put(w, BPF_JMP | BPF_JGE | BPF_K, ranges[half].first, 0, 1);
    put(w, BPF_JMP | BPF_JA, (uint32_t)left.length, 0, 0);
  }
  put_tree(w, ranges, half);
  put_tree(w, ranges + half, count - half);
}

int bh_program_build(struct bh_program *program, const uint8_t verdicts[BH_CALL_COUNT]) {
  struct range ranges[BH_CALL_COUNT + 1];
  size_t count = 0;
  for (uint32_t number = 0; number < BH_CALL_COUNT; number++) {
    if (count == 0 || ranges[count - 1].verdict != verdicts[number]) ranges[count++] = (struct range){number, verdicts[number]};
  }
  /* Also the whole x32 table, whose numbers have bit 30 set. */
  if (ranges[count - 1].verdict != BH_VERDICT_UNKNOWN) ranges[count++] = (struct range){BH_CALL_COUNT, BH_VERDICT_UNKNOWN};

  struct writer w = {program, 0};
  put(&w, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
  put(&w, BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0);
  put_return(&w, REFUSE(ENOSYS)); /* 32-bit calls have other numbers: int 0x80, arm compat */
  put(&w, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
  put_tree(&w, ranges, count);
  if (w.length > BH_PROGRAM_MAX) return -E2BIG;
  program->length = (uint16_t)w.length;
  return 0;
}
