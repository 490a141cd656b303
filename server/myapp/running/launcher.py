"""Runs one script and leaves nothing of it behind: `python -I -S launcher.py CONTROL_FD STATUS_FD`.

Standard library only, so that it starts quickly. The task holds the other end of CONTROL, says there what to run (one
line of JSON) and keeps it open. When it closes, because the task is done with the script or because its process died in
whatever way, every descendant of this process is killed, and then this process ends. It is a subreaper: what a script
starts and abandons, in sessions of its own too, becomes its child.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import select
import signal
import sys

TYPE_CHECKING = False  # typing takes longer to import than all the rest
if TYPE_CHECKING:
    from typing import Any

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 36, 38
LIBC = ctypes.CDLL(None)
ASKED_TO_END = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def limit(limits: dict[str, int]) -> None:
    """Resource limits of the script and of all that it starts. Root is not bound by the number of processes."""
    for name, value in limits.items():
        number = getattr(resource, name)
        if name == "RLIMIT_NPROC":
            value += threads_of_user()  # the kernel counts all of the user's, the worker's own among them
        hard = resource.getrlimit(number)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        # SIGXCPU, which says why, comes at the soft limit; SIGKILL would come at the hard one.
        most = value + 2 if name == "RLIMIT_CPU" and hard == resource.RLIM_INFINITY else value
        resource.setrlimit(number, (value, most))


def threads_of_user() -> int:
    count = 0
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.stat(f"/proc/{name}").st_uid == os.getuid():
                count += len(os.listdir(f"/proc/{name}/task"))
        except OSError:
            continue
    return count


def script(spec: dict[str, Any], parent: int) -> None:
    """In the child; never returns."""
    try:
        for number in ASKED_TO_END:
            signal.signal(number, signal.SIG_DFL)
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(127)
        LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)  # what ran as another user could not be killed
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("500")  # where memory runs out, the script goes before the worker
        os.chdir(spec["cwd"])
        limit(spec["limits"])
        os.execve(spec["argv"][0], spec["argv"], spec["env"])
    except BaseException as error:
        os.write(2, f"the script could not be started: {error}\n".encode())
        os._exit(127)


def descendants(root: int) -> list[int]:
    """Pids of all that live below `root`. A process whose first thread has ended looks dead while the others run on."""
    children: dict[int, list[int]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue
        if fields[0] not in (b"Z", b"X") or int(fields[17]) > 1:
            children.setdefault(int(fields[1]), []).append(int(name))
    found, queue = [], [root]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


def kill_all(root: int) -> None:
    """Until none is left: a fork may race with the kill."""
    pause_s = 0.005
    while pids := descendants(root):
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                continue
        select.select([], [], [], pause_s)
        pause_s = min(0.5, pause_s * 1.5)  # one that hangs in the kernel cannot be hurried


def told(control: int) -> dict[str, Any]:
    """What to run; ends this process where the task has gone before it said so."""
    said = b""
    while not said.endswith(b"\n"):
        more = os.read(control, 65536)
        if not more:
            sys.exit()
        said += more
    spec: dict[str, Any] = json.loads(said)
    return spec


def main() -> None:
    control, status = int(sys.argv[1]), int(sys.argv[2])
    os.setsid()
    for number in ASKED_TO_END:
        signal.signal(number, signal.SIG_IGN)  # only the end of CONTROL ends this process
    os.set_inheritable(control, False)
    os.set_inheritable(status, False)
    spec = told(control)
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    wake_r, wake_w = os.pipe()
    os.set_blocking(wake_w, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_w, warn_on_full_buffer=False)
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        script(spec, parent)
    ended = None
    while ended is None:
        # The task ends the script in time; `most_s` is for one that is stuck and has forgotten it.
        ready, _, _ = select.select([control, wake_r], [], [], spec["most_s"])
        if control in ready or not ready:
            break
        os.read(wake_r, 512)
        ended = reap(child)
    if ended is not None:
        os.write(status, str(ended).encode())
    kill_all(parent)


def reap(child: int) -> int | None:
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
