"""The embedded broker: needs nothing but pip. See fakeredis_server.py for the process that this one starts."""

import json
import os
import select
import sys
import time

from assay.brokers.served import ServedBroker
from assay.errors import HarnessError, UsageError
from assay.process import Process

READY_S = 30.0
FIRST_PASSED_FD = "3"


class FakeredisBroker(ServedBroker):
    """A process that serves fakeredis's engine. It keeps nothing on disk: a restart begins empty."""

    name = "fakeredis"

    def _start(self) -> Process:
        where = ["--unix", self._unix] if self._unix else ["--port", str(self.port)]
        argv = [sys.executable, "-P", "-m", "assay.brokers.fakeredis_server", *where, "--ready", FIRST_PASSED_FD]
        read_end, write_end = os.pipe()
        try:
            process = self._spawn(argv, log=self.log, pass_fds=(write_end,), name="embedded broker")
        except BaseException:
            os.close(read_end)
            raise
        finally:
            os.close(write_end)
        with os.fdopen(read_end, "rb", buffering=0) as ready:
            told = _read_line(ready.fileno(), READY_S)
        if not told:
            raise self._refused(process)
        if not self._unix:
            self.port = json.loads(told)["port"]
        return process

    def _refused(self, process: Process) -> Exception:
        process.kill()
        words = process.last_words()
        if self._asked_port and "cannot listen" in words:
            return UsageError(f"port {self._asked_port} is taken: name another by --port, or none for a free one")
        return HarnessError(f"the embedded broker did not start\n{words}")

    def keep_data(self) -> None:
        """Raises UsageError: all of it is in one process's memory."""
        raise UsageError("the embedded broker keeps no data over a restart: use --broker redis or rabbitmq for this")

    def restart(self, *, with_data: bool = False) -> None:
        """Start again at the same address, empty. Raises UsageError for `with_data`."""
        if with_data:
            self.keep_data()
        super().restart()

    def _forget_data(self) -> None:
        if self._unix and os.path.exists(self._unix):
            os.unlink(self._unix)


def _read_line(fd: int, timeout_s: float) -> bytes:
    """What was written up to a newline; empty when the other end was closed before, or at the deadline."""
    deadline = time.monotonic() + timeout_s
    data = b""
    while not data.endswith(b"\n"):
        if not select.select([fd], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return b""
        part = os.read(fd, 4096)
        if not part:
            return b""
        data += part
    return data
