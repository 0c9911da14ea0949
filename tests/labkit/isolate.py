# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Calls a function in private namespaces, as process 1 of its own.

Nothing that the function does can outlive it: when it ends, or its time is up, the kernel takes
its processes, interfaces and mounts away.  It sees the machine's files, but /run and /var/lib
are empty and its own, and there is no network and no shared memory (NTP's) but what it makes.
"""
import ctypes
import os
import signal
import sys
import traceback

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER = 0x20000, 0x8000000, 0x10000000
CLONE_NEWPID, CLONE_NEWNET = 0x20000000, 0x40000000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REC, MS_PRIVATE = 2, 4, 8, 0x4000, 0x40000
PR_SET_PDEATHSIG = 1
OWN_FOLDERS = ("/run", "/var/lib")

libc = ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def mount(source, target, kind, flags):
    check(libc.mount(source, target.encode(), kind, flags, None), f"mount {target}")


def become_root():
    """An ordinary user is root in a user namespace."""
    uid, gid = os.geteuid(), os.getegid()
    check(libc.unshare(CLONE_NEWUSER), "unshare the user namespace")
    write("/proc/self/setgroups", "deny")
    write("/proc/self/uid_map", f"0 {uid} 1")
    write("/proc/self/gid_map", f"0 {gid} 1")


def has_users():
    """Whether there are other users than root here: not in a user namespace of become_root()."""
    with open("/proc/self/uid_map", encoding="ascii") as file:
        return int(file.read().split()[2]) > 65534


def end_with_parent():
    check(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")


def furnish():
    """What the programs of a laboratory expect to find."""
    mount(b"none", "/", None, MS_REC | MS_PRIVATE)
    mount(b"proc", "/proc", b"proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    for folder in OWN_FOLDERS:
        mount(b"tmpfs", folder, b"tmpfs", MS_NOSUID | MS_NODEV)
    os.makedirs("/run/netns")


def run_inside(function):
    """The life of process 1."""
    status = 70
    try:
        end_with_parent()
        furnish()
        function()
        status = 0
    except BaseException:  # pylint: disable=broad-except  # whatever it is, it ends here
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def start(function):
    """Starts function() in private namespaces; returns the process id to wait for.  Its exit
    status is 0 if the function returned.  Killing it ends everything inside."""
    pid = os.fork()
    if pid != 0:
        return pid
    status = 71
    try:
        end_with_parent()
        if os.geteuid() != 0:
            become_root()
        check(libc.unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWPID), "unshare")
        child = os.fork()
        if child == 0:
            run_inside(function)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except BaseException:  # pylint: disable=broad-except
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status if 0 <= status < 256 else 72)
