"""A Celery worker under test, as the harness holds it: its main process, its children, and what can be done to them."""

import os
import select
import signal
from collections.abc import Callable
from pathlib import Path

import psutil

from assay.errors import HarnessError
from assay.event import Kind
from assay.process import Process


class Worker:
    """One worker. `name` is what its events carry ("w1")."""

    def __init__(self, name: str, process: Process, record: Callable[..., None]) -> None:
        self.name = name
        self.process = process
        self.pid = process.pid
        self._record = record
        self._told_exit = False

    def children(self) -> list[int]:
        """Pids of the pool's children that are alive now."""
        try:
            found = psutil.Process(self.pid).children()
        except psutil.NoSuchProcess:
            return []
        return [child.pid for child in found if child.status() != psutil.STATUS_ZOMBIE]

    def alive(self) -> bool:
        return self.process.alive()

    def gone(self) -> bool:
        """Whether the main process has ended and is reaped; that it has is recorded then."""
        if self.alive():
            return False
        self.exited()
        return True

    def kill(self) -> None:
        """SIGKILL to the main process; returns when it is gone."""
        self.process.kill()
        self.exited()

    def kill_group(self) -> None:
        """SIGKILL to the main process and its children at once, as an OOM killer or a container's end does."""
        self.process.send_group(signal.SIGKILL)
        self.process.wait()
        self.exited()

    def send(self, number: signal.Signals) -> None:
        self.process.send(number)

    def terminate(self) -> None:
        """SIGTERM: Celery's warm shutdown. Does not wait."""
        self.send(signal.SIGTERM)

    def quit(self) -> None:
        """SIGQUIT: Celery's cold (or soft) shutdown. Does not wait."""
        self.send(signal.SIGQUIT)

    def pause(self) -> None:
        self.process.pause()

    def resume(self) -> None:
        self.process.resume()

    def wait(self, timeout_s: float) -> int:
        """The exit status. Raises HarnessError when it still runs after `timeout_s`."""
        status = self.process.wait(timeout_s)
        self.exited()
        return status

    def exited(self, *, closed: bool = False) -> None:
        """Record, once, that the main process is gone."""
        if not self._told_exit and not self.alive():
            self._told_exit = True
            status = self.process.wait()
            self._record(Kind.WORKER_EXITED, worker=self.name, pid=self.pid, status=status, closed=closed)

    def must_live(self) -> None:
        if not self.alive():
            raise HarnessError(f"worker {self.name} died unasked\n{self.process.last_words()}")

    def log(self) -> Path:
        return self.process.log

    def close(self) -> None:
        """The end of the scenario, and of the worker where it has not ended before."""
        self.exited()
        if self.alive():
            self.process.send_group(signal.SIGKILL)
            self.process.wait()
            self.exited(closed=True)
        self.process.close()


def kill_child(pid: int) -> None:
    """SIGKILL to one pool child; returns when the kernel has ended it. It may be a zombie until its parent reaps it.

    Raises HarnessError where it had ended by itself: then nothing has landed.
    """
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        raise HarnessError(f"process {pid} was gone before it could be killed") from None
    try:
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        if poll.poll(0):
            raise HarnessError(f"process {pid} had ended before it could be killed")
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        if not poll.poll(10_000):
            raise HarnessError(f"pool child {pid} survived SIGKILL for 10 s")
    finally:
        os.close(pidfd)
