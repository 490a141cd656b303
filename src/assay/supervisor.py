"""The one process that outlives the harness, so that nothing else does.

Run as a script in an interpreter and session of its own (`python -I -S supervisor.py FD FOLDER`), standard library
only. It is the parent or the subreaper of every process of a run. When its socket to the harness ends, for whatever
reason, SIGKILL of the harness included, it kills all its descendants, removes the run's folder, and exits. Should it
die itself, its children follow by PR_SET_PDEATHSIG.

A process that was started as a `sweeper` has something to put away that is no process and no file: it gets SIGTERM when
all others are dead, SWEEP_S to end by itself, and only then SIGKILL.

Messages are JSON, one in each SEQPACKET: `{"id", "argv", "env", "cwd", "log", "sweeper"}` with descriptors that become
3, 4, ... in the new process; answered by `{"id", "pid"}` or `{"id", "error"}`. FOLDER is made by this process, which
says so by `{"id": 0}`, and removed by it: nobody is ever there to leave it behind.
`{"exit", "status"}` is sent when a process ends (status as subprocess gives it: negative for a signal), orphans that
were adopted included.
"""

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
LIBC = ctypes.CDLL(None, use_errno=True)
RECEIVE = 1 << 20
SWEEP_S = 1.5


def die_with_parent(parent: int, number: int = signal.SIGKILL) -> None:
    """`number` for the calling process when the thread that forked it ends; Linux only.

    Where `parent` is gone already there is none to wait for: the process exits.
    """
    LIBC.prctl(PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        os._exit(127)


def spawn(request: dict[str, Any], fds: list[int]) -> int:
    """Fork and exec in a session of its own; returns the pid. Raises OSError where the program cannot be run."""
    report_r, report_w = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid:
        os.close(report_w)
        with os.fdopen(report_r, "rb") as report:
            failure = report.read()
        if failure:
            os.waitpid(pid, 0)
            raise OSError(failure.decode())
        return pid
    try:
        die_with_parent(parent, signal.SIGTERM if request.get("sweeper") else signal.SIGKILL)
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        null = os.open(os.devnull, os.O_RDONLY)
        high = [os.dup(fd) for fd in [null, log, log, *fds]]
        base = max(high) + 1
        for offset, fd in enumerate(high):
            os.dup2(fd, base + offset)
        keep = os.dup(report_w)
        while keep < base + len(high):
            keep = os.dup(report_w)
        for target in range(len(high)):
            os.dup2(base + target, target, inheritable=True)
        os.closerange(len(high), keep)
        os.set_inheritable(keep, False)
        if request.get("cwd"):
            os.chdir(request["cwd"])
        os.execvpe(request["argv"][0], request["argv"], request["env"])
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.write(keep if "keep" in locals() else report_w, f"{request['argv'][0]}: {error}".encode())
        os._exit(127)


def descendants(of: int) -> list[int]:
    """Pids of all living descendants, read from /proc (zombies left out)."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    fields = file.read().rpartition(b")")[2].split()
            except OSError:
                continue
            if fields[0] not in (b"Z", b"X"):
                children.setdefault(int(fields[1]), []).append(int(name))
    found, queue = [], [of]
    while queue:
        for pid in children.get(queue.pop(), ()):
            found.append(pid)
            queue.append(pid)
    return found


def reap(report: Callable[[dict[str, int]], None]) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        report({"exit": pid, "status": os.waitstatus_to_exitcode(status)})


def kill_all(spared: set[int]) -> None:
    """Kill every descendant until none is left (a fork may race with the kill)."""
    while pids := set(descendants(os.getpid())) - spared:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        reap(lambda message: None)
        time.sleep(0.002)  # not wait.py: this interpreter runs without the package


def end(folder: str, sweepers: set[int]) -> None:
    """End the others, then the sweepers, then the folder. A sweeper is a child of this process."""
    kill_all(sweepers)
    for pid in sweepers & set(descendants(os.getpid())):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + SWEEP_S
    while sweepers & set(descendants(os.getpid())) and time.monotonic() < deadline:
        time.sleep(0.002)
    kill_all(set())
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)  # all are dead: leave no zombie to whoever adopts them
    shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    channel = socket.socket(fileno=int(sys.argv[1]))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1)
    wake_r, wake_w = os.pipe()
    os.set_blocking(wake_w, False)
    os.set_blocking(wake_r, False)
    signal.set_wakeup_fd(wake_w)
    signal.signal(signal.SIGCHLD, lambda *_: None)

    def report(message: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):
            channel.send(json.dumps(message).encode())

    folder = sys.argv[2]
    watched: list[socket.socket | int] = [channel, wake_r]
    sweepers: set[int] = set()
    try:
        os.makedirs(f"{folder}/tmp", mode=0o700)
        report({"id": 0})
        while True:
            ready, _, _ = select.select(watched, [], [])
            if wake_r in ready:
                os.read(wake_r, 512)
                reap(report)
            if channel not in ready:
                continue
            data, fds, _, _ = socket.recv_fds(channel, RECEIVE, 16)
            if not data:
                return
            request = json.loads(data)
            try:
                pid = spawn(request, fds)
                report({"id": request["id"], "pid": pid})
                if request.get("sweeper"):
                    sweepers.add(pid)
            except OSError as error:
                report({"id": request["id"], "error": str(error)})
            for fd in fds:
                os.close(fd)
    except OSError:
        return
    finally:
        end(folder, sweepers)


if __name__ == "__main__":
    main()
