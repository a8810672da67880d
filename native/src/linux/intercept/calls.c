#include "calls.h"

#include <string.h>

#include "numbers.h"

/* What ordinary programs use and what an unprivileged process may do anyway. */
static const uint16_t allowed[] = {
    /* files */
    SYS_read, SYS_write, SYS_close, SYS_fstat, SYS_lseek, SYS_pread64, SYS_pwrite64, SYS_readv, SYS_writev, SYS_preadv, SYS_pwritev,
    SYS_preadv2, SYS_pwritev2, SYS_sendfile, SYS_splice, SYS_tee, SYS_vmsplice, SYS_copy_file_range, SYS_fcntl, SYS_flock, SYS_fsync,
    SYS_fdatasync, SYS_sync, SYS_syncfs, SYS_sync_file_range, SYS_truncate, SYS_ftruncate, SYS_fallocate, SYS_fadvise64, SYS_readahead,
    SYS_openat, SYS_openat2, SYS_close_range, SYS_faccessat, SYS_faccessat2, SYS_newfstatat, SYS_statx, SYS_statfs, SYS_fstatfs,
    SYS_readlinkat, SYS_getdents64, SYS_getcwd, SYS_chdir, SYS_fchdir, SYS_mkdirat, SYS_unlinkat, SYS_renameat, SYS_renameat2, SYS_linkat,
    SYS_symlinkat, SYS_fchmod, SYS_fchmodat, SYS_fchmodat2, SYS_fchown, SYS_fchownat, SYS_utimensat, SYS_umask, SYS_dup, SYS_dup3,
    SYS_pipe2, SYS_memfd_create, SYS_memfd_secret, SYS_name_to_handle_at, SYS_cachestat, SYS_file_getattr, SYS_file_setattr,
    SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr, SYS_getxattr, SYS_lgetxattr, SYS_fgetxattr, SYS_listxattr, SYS_llistxattr,
    SYS_flistxattr, SYS_removexattr, SYS_lremovexattr, SYS_fremovexattr, SYS_setxattrat, SYS_getxattrat, SYS_listxattrat,
    SYS_removexattrat, SYS_inotify_init1, SYS_inotify_add_watch, SYS_inotify_rm_watch,
    /* waiting */
    SYS_ppoll, SYS_pselect6, SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_epoll_pwait2, SYS_eventfd2, SYS_signalfd4,
    SYS_timerfd_create, SYS_timerfd_settime, SYS_timerfd_gettime, SYS_io_setup, SYS_io_destroy, SYS_io_submit, SYS_io_cancel,
    SYS_io_getevents, SYS_io_pgetevents, SYS_mq_open, SYS_mq_unlink, SYS_mq_timedsend, SYS_mq_timedreceive, SYS_mq_notify,
    SYS_mq_getsetattr,
    /* memory */
    SYS_mmap, SYS_mprotect, SYS_munmap, SYS_brk, SYS_mremap, SYS_msync, SYS_mincore, SYS_madvise, SYS_process_madvise,
    SYS_process_mrelease, SYS_mlock, SYS_mlock2, SYS_munlock, SYS_mlockall, SYS_munlockall, SYS_remap_file_pages, SYS_pkey_alloc,
    SYS_pkey_free, SYS_pkey_mprotect, SYS_mseal, SYS_map_shadow_stack, SYS_get_mempolicy, SYS_set_mempolicy, SYS_mbind,
    SYS_set_mempolicy_home_node, SYS_shmget, SYS_shmat, SYS_shmctl, SYS_shmdt, SYS_semget, SYS_semop, SYS_semctl, SYS_semtimedop,
    SYS_msgget, SYS_msgsnd, SYS_msgrcv, SYS_msgctl,
    /* processes; tracing reaches no further than the job's own pid namespace and identity */
    SYS_execve, SYS_execveat, SYS_exit, SYS_exit_group, SYS_wait4, SYS_waitid, SYS_kill, SYS_tkill, SYS_tgkill, SYS_pidfd_open,
    SYS_pidfd_send_signal, SYS_pidfd_getfd, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp, SYS_getpid, SYS_getppid,
    SYS_gettid, SYS_getpgid, SYS_setpgid, SYS_getsid, SYS_setsid, SYS_prctl, SYS_seccomp, SYS_landlock_create_ruleset,
    SYS_landlock_add_rule, SYS_landlock_restrict_self, SYS_set_tid_address, SYS_set_robust_list, SYS_get_robust_list, SYS_rseq,
    SYS_membarrier, SYS_restart_syscall, SYS_futex, SYS_futex_waitv, SYS_futex_wake, SYS_futex_wait, SYS_futex_requeue,
    /* signals */
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigpending, SYS_rt_sigtimedwait, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo,
    SYS_rt_sigsuspend, SYS_rt_sigreturn, SYS_sigaltstack,
    /* identity: changes only to what the process is already */
    SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_getgroups, SYS_getresuid, SYS_getresgid, SYS_setuid, SYS_setgid,
    SYS_setreuid, SYS_setregid, SYS_setresuid, SYS_setresgid, SYS_setfsuid, SYS_setfsgid, SYS_setgroups, SYS_capget, SYS_capset,
    /* scheduling, limits, time */
    SYS_sched_yield, SYS_sched_setaffinity, SYS_sched_getaffinity, SYS_sched_setparam, SYS_sched_getparam, SYS_sched_setscheduler,
    SYS_sched_getscheduler, SYS_sched_setattr, SYS_sched_getattr, SYS_sched_get_priority_max, SYS_sched_get_priority_min,
    SYS_sched_rr_get_interval, SYS_getpriority, SYS_setpriority, SYS_ioprio_get, SYS_ioprio_set, SYS_getrlimit, SYS_setrlimit,
    SYS_prlimit64, SYS_getrusage, SYS_times, SYS_getcpu, SYS_sysinfo, SYS_uname, SYS_getrandom, SYS_nanosleep, SYS_clock_nanosleep,
    SYS_clock_gettime, SYS_clock_getres, SYS_gettimeofday, SYS_getitimer, SYS_setitimer, SYS_timer_create, SYS_timer_settime,
    SYS_timer_gettime, SYS_timer_getoverrun, SYS_timer_delete,
    /* sockets; which ones exist is decided by socket() */
    SYS_bind, SYS_listen, SYS_accept, SYS_accept4, SYS_connect, SYS_getsockname, SYS_getpeername, SYS_sendto, SYS_recvfrom, SYS_sendmsg,
    SYS_recvmsg, SYS_sendmmsg, SYS_recvmmsg, SYS_shutdown, SYS_setsockopt, SYS_getsockopt,
#ifdef __x86_64__
    SYS_open, SYS_creat, SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_mkdir, SYS_rmdir, SYS_unlink, SYS_rename, SYS_link,
    SYS_symlink, SYS_chmod, SYS_chown, SYS_lchown, SYS_utime, SYS_utimes, SYS_futimesat, SYS_getdents, SYS_dup2, SYS_pipe, SYS_poll,
    SYS_select, SYS_epoll_create, SYS_epoll_wait, SYS_eventfd, SYS_signalfd, SYS_inotify_init, SYS_fork, SYS_vfork, SYS_getpgrp,
    SYS_alarm, SYS_pause, SYS_time, SYS_arch_prctl, SYS_uretprobe, SYS_uprobe,
#endif
};

/*
 * The machine's own business and known ways out. EPERM as an unprivileged process is used to. What is not listed anywhere is answered
 * with ENOSYS: the newer mount calls, clone3 (libc then uses clone, whose flags a filter can see), io_uring (it does files and sockets
 * past any filter), the kernel's keyrings, modify_ldt, and every call of a kernel newer than this list.
 */
static const uint16_t refused[] = {
    SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_setns, SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_init_module,
    SYS_finit_module, SYS_delete_module, SYS_kexec_load,
#ifdef SYS_kexec_file_load
    SYS_kexec_file_load,
#endif
    SYS_reboot, SYS_swapon, SYS_swapoff, SYS_settimeofday, SYS_clock_settime, SYS_clock_adjtime, SYS_adjtimex, SYS_sethostname,
    SYS_setdomainname, SYS_acct, SYS_quotactl, SYS_quotactl_fd, SYS_syslog, SYS_vhangup, SYS_open_by_handle_at, SYS_fanotify_init,
    SYS_fanotify_mark, SYS_move_pages, SYS_migrate_pages,
#ifdef __x86_64__
    SYS_iopl, SYS_ioperm,
#endif
};

struct call {
  uint16_t number;
  uint8_t verdict;
};

static const struct call by_argument[] = {
    {SYS_clone, BH_VERDICT_CLONE},           {SYS_unshare, BH_VERDICT_UNSHARE},
    {SYS_socket, BH_VERDICT_SOCKET},         {SYS_socketpair, BH_VERDICT_SOCKETPAIR},
    {SYS_ioctl, BH_VERDICT_IOCTL},           {SYS_personality, BH_VERDICT_PERSONALITY},
    {SYS_mknodat, BH_VERDICT_MKNODAT},
#ifdef SYS_mknod
    {SYS_mknod, BH_VERDICT_MKNOD},
#endif
};

static const struct call traces[] = {
    {SYS_fchmod, BH_VERDICT_SET_ID_1},        {SYS_fchmodat, BH_VERDICT_SET_ID_2}, {SYS_fchmodat2, BH_VERDICT_SET_ID_2},
    {SYS_mknodat, BH_VERDICT_SET_ID_2},       {SYS_openat2, BH_VERDICT_UNKNOWN},   {SYS_prlimit64, BH_VERDICT_PRLIMIT},
    {SYS_openat, BH_VERDICT_SET_ID_OPENAT},
#ifdef SYS_setrlimit
    {SYS_setrlimit, BH_VERDICT_SETRLIMIT},
#endif
#ifdef __x86_64__
    {SYS_chmod, BH_VERDICT_SET_ID_1},         {SYS_creat, BH_VERDICT_SET_ID_1},    {SYS_mknod, BH_VERDICT_SET_ID_1},
    {SYS_open, BH_VERDICT_SET_ID_OPEN},
#endif
};

struct watched {
  uint16_t number;
  uint8_t act;
  uint8_t verdict;
};

static const struct watched watched[] = {
    {SYS_openat, BH_ACT_FILE_WRITE, BH_VERDICT_ASK_OPENAT},
    {SYS_openat2, BH_ACT_FILE_WRITE, BH_VERDICT_ASK},
    {SYS_truncate, BH_ACT_FILE_WRITE, BH_VERDICT_ASK},
    {SYS_unlinkat, BH_ACT_FILE_DELETE, BH_VERDICT_ASK},
    {SYS_renameat, BH_ACT_FILE_RENAME, BH_VERDICT_ASK},
    {SYS_renameat2, BH_ACT_FILE_RENAME, BH_VERDICT_ASK},
    {SYS_fchmod, BH_ACT_FILE_CHMOD, BH_VERDICT_ASK},
    {SYS_fchmodat, BH_ACT_FILE_CHMOD, BH_VERDICT_ASK},
    {SYS_fchmodat2, BH_ACT_FILE_CHMOD, BH_VERDICT_ASK},
    {SYS_execve, BH_ACT_PROCESS_EXEC, BH_VERDICT_ASK},
    {SYS_execveat, BH_ACT_PROCESS_EXEC, BH_VERDICT_ASK},
    {SYS_connect, BH_ACT_NET_CONNECT, BH_VERDICT_ASK},
    {SYS_sendto, BH_ACT_NET_CONNECT, BH_VERDICT_ASK_SENDTO},
    {SYS_bind, BH_ACT_NET_BIND, BH_VERDICT_ASK},
#ifdef __x86_64__
    {SYS_open, BH_ACT_FILE_WRITE, BH_VERDICT_ASK_OPEN},
    {SYS_creat, BH_ACT_FILE_WRITE, BH_VERDICT_ASK},
    {SYS_unlink, BH_ACT_FILE_DELETE, BH_VERDICT_ASK},
    {SYS_rmdir, BH_ACT_FILE_DELETE, BH_VERDICT_ASK},
    {SYS_rename, BH_ACT_FILE_RENAME, BH_VERDICT_ASK},
    {SYS_chmod, BH_ACT_FILE_CHMOD, BH_VERDICT_ASK},
#endif
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

void bh_calls_fill(uint8_t verdicts[BH_CALL_COUNT], uint32_t acts) {
  memset(verdicts, BH_VERDICT_UNKNOWN, BH_CALL_COUNT);
  for (size_t i = 0; i < COUNT(allowed); i++) verdicts[allowed[i]] = BH_VERDICT_ALLOW;
  for (size_t i = 0; i < COUNT(refused); i++) verdicts[refused[i]] = BH_VERDICT_REFUSE;
  for (size_t i = 0; i < COUNT(by_argument); i++) verdicts[by_argument[i].number] = by_argument[i].verdict;
  for (size_t i = 0; i < COUNT(watched); i++) {
    if ((acts & (1U << watched[i].act)) != 0) verdicts[watched[i].number] = watched[i].verdict;
  }
}

void bh_calls_fill_traces(uint8_t verdicts[BH_CALL_COUNT]) {
  memset(verdicts, BH_VERDICT_ALLOW, BH_CALL_COUNT);
  for (size_t i = 0; i < COUNT(traces); i++) verdicts[traces[i].number] = traces[i].verdict;
}
