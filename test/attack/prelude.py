"""Runs before every attack. An attack calls escaped() when it got what it wanted; anything it raises as OSError counts as contained."""
import ctypes, errno, json, os, socket, struct, sys, time

facts = json.loads(os.environ["ATTACK_FACTS"])
libc = ctypes.CDLL(None, use_errno=True)
NR = {
    "x86_64": dict(mount=165, unshare=272, setns=308, ptrace=101, open_tree=428, fsopen=430, io_uring_setup=425, bpf=321,
                   perf_event_open=298, userfaultfd=323, add_key=248, keyctl=250, kexec_load=246, init_module=175, clone3=435,
                   process_vm_readv=310, process_vm_writev=311, pidfd_open=434, pidfd_getfd=438, open_by_handle_at=304,
                   name_to_handle_at=303, chroot=161, pivot_root=155, mknodat=259, sethostname=170, swapon=167, reboot=169,
                   settimeofday=164, acct=163, quotactl=179, syslog=103, personality=135, move_mount=429, mount_setattr=442,
                   fanotify_init=300, kcmp=312, shmget=29, msgget=68, unknown=4242),
    "aarch64": dict(mount=40, unshare=97, setns=268, ptrace=117, open_tree=428, fsopen=430, io_uring_setup=425, bpf=280,
                    perf_event_open=241, userfaultfd=282, add_key=217, keyctl=219, kexec_load=104, init_module=105, clone3=435,
                    process_vm_readv=270, process_vm_writev=271, pidfd_open=434, pidfd_getfd=438, open_by_handle_at=265,
                    name_to_handle_at=264, chroot=51, pivot_root=41, mknodat=33, sethostname=161, swapon=224, reboot=142,
                    settimeofday=170, acct=89, quotactl=60, syslog=116, personality=92, move_mount=429, mount_setattr=442,
                    fanotify_init=262, kcmp=272, shmget=194, msgget=186, unknown=4242),
}[os.uname().machine]


def escaped(detail=""):
    print("ESCAPED", str(detail)[:200], flush=True)
    sys.exit(0)


def contained(detail=""):
    print("CONTAINED", str(detail)[:200], flush=True)
    sys.exit(0)


def syscall(name, *args):
    """Result of a raw system call; raises OSError when it fails."""
    ctypes.set_errno(0)
    result = libc.syscall(NR[name], *[ctypes.c_long(a) if isinstance(a, int) else a for a in args])
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), name)
    return result


def hook(kind, value, trace):
    if issubclass(kind, (OSError, EOFError)):
        print("CONTAINED", kind.__name__, str(value)[:160], flush=True)
        os._exit(0)
    sys.__excepthook__(kind, value, trace)


sys.excepthook = hook
