"""Runs one script and leaves nothing of it behind: `python -I -S launcher.py CONTROL_FD STATUS_FD SPEC`.

Standard library only, so that it starts quickly. The task holds the other end of CONTROL. When it ends, because the task
is done with the script or because its process died in whatever way, every descendant of this process is killed, and then
this process ends. It is a subreaper: what a script starts and abandons, in sessions of its own too, becomes its child.
"""

import ctypes
import json
import os
import resource
import select
import signal
import sys

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
LIBC = ctypes.CDLL(None)


def limit(limits: dict) -> None:
    """Resource limits of the script and of all that it starts. Root is not bound by the number of processes."""
    for name, value in limits.items():
        number = getattr(resource, name)
        hard = resource.getrlimit(number)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(number, (value, value))


def script(spec: dict, parent: int) -> None:
    """In the child; never returns."""
    try:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(127)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.closerange(3, 256)
        os.chdir(spec["cwd"])
        limit(spec["limits"])
        os.execve(spec["argv"][0], spec["argv"], spec["env"])
    except BaseException as error:
        os.write(2, f"the script could not be started: {error}\n".encode())
        os._exit(127)


def descendants() -> list:
    children: dict = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    fields = file.read().rpartition(b")")[2].split()
            except OSError:
                continue
            if fields[0] not in (b"Z", b"X"):
                children.setdefault(int(fields[1]), []).append(int(name))
    found, queue = [], [os.getpid()]
    while queue:
        for pid in children.get(queue.pop(), ()):
            found.append(pid)
            queue.append(pid)
    return found


def kill_all() -> None:
    """Until none is left: a fork may race with the kill."""
    while True:
        pids = descendants()
        if not pids:
            return
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        select.select([], [], [], 0.005)


def main() -> None:
    control, status, spec = int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)  # only the end of CONTROL ends this process
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1)
    wake_r, wake_w = os.pipe()
    os.set_blocking(wake_w, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_w)
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(number, signal.SIG_DFL)
        script(spec, parent)
    while True:
        ready, _, _ = select.select([control, wake_r], [], [])
        if control in ready:
            break
        os.read(wake_r, 512)
        ended = reap(child)
        if ended is not None:
            os.write(status, str(ended).encode())
            break
    kill_all()


def reap(child: int):
    """The script's exit status (negative for a signal) once it has ended; adopted orphans are reaped on the way."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return None
        if not pid:
            return None
        if pid == child:
            return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    main()
