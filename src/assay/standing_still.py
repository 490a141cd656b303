"""A worker's main process, stopped at a moment when no message is on its way into it.

kombu's Redis transport takes a message from its queue (BRPOP) and notes it as unacknowledged a moment later; a process
killed between the two loses it, whatever the app is configured to. A fault that is not about that moment must not land
in it. See docs/decisions/chaos-runs.md for what was tried.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from assay.broker import Broker
from assay.connections import established, peers, unread
from assay.errors import HarnessError
from assay.worker import Worker

STILL_S, LOOKS = 5.0, 10  # the latter where the machine is so busy that a look takes a second
TURN_S = 1.0
RUNS_S = 0.003  # that a worker has, at least, between two looks at whether it stands still


@dataclass(frozen=True)
class StandingStill:
    """What is asked, and of whom; `stops`: whether a worker has said that it does."""

    broker: Broker
    broker_url: str
    pool: str
    stops: Callable[[Worker], bool]
    wait: Callable[..., Any]

    @contextlib.contextmanager
    def of(self, worker: Worker) -> Iterator[None]:
        """Stop its main process at such a moment; it goes on afterwards, if it lives.

        What it waits for is answered first, so that no message comes while it stands. Raises HarnessError after
        STILL_S. What the kernel does not tell is not asked for.
        """
        deadline, looks = time.monotonic() + STILL_S, 0
        try:
            while True:
                looks += 1
                worker.pause()
                waits = worker.process.waits() or self.pool == "solo" or self._ends_its_threads(worker)
                unread_bytes = self._unread(worker)
                if waits and not unread_bytes and self._asks_no_more(worker):
                    break
                over = looks >= LOOKS and time.monotonic() > deadline
                if over and self.stops(worker):
                    break  # by now it takes no messages any more
                slept = worker.process.slept()
                worker.resume()
                if over:
                    doing = f"{unread_bytes} bytes unread" if waits else "at work"
                    raise HarnessError(
                        f"worker {worker.name} was at no moment between two messages for {STILL_S:g} s: {doing}"
                    )
                self._let_run(worker, slept)
            yield
        finally:
            worker.resume()

    def _let_run(self, worker: Worker, slept: int) -> None:
        """Until it has come to wait for something again: on a busy machine it may get no turn for a while."""
        deadline = time.monotonic() + TURN_S
        self.wait(lambda: False, timeout_s=RUNS_S)
        while worker.process.slept() == slept and time.monotonic() < deadline:
            self.wait(lambda: False, timeout_s=RUNS_S)

    def _ends_its_threads(self, worker: Worker) -> bool:
        return worker.process.waits_for_thread() and self.stops(worker)

    def _asks_no_more(self, worker: Worker) -> bool:
        """Its wait for a message is over, as after the time that it gave; whether it got none."""
        try:
            clients = {each.local for each in established(worker.pid, peers(self.broker_url))}
        except HarnessError:
            return True
        self.broker.unblock(clients)
        return not self._unread(worker)

    def _unread(self, worker: Worker) -> int:
        try:
            return unread(worker.pid, peers(self.broker_url))
        except HarnessError:  # by a Unix socket, or the kernel lends none
            return 0
