"""What is recorded on a cluster, heard as it comes, and waited for.

`Listening` is the part of a cluster that does so; who records is in cluster.py and in the workers.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from assay.bell import BELL, Bell
from assay.errors import HarnessError
from assay.event import Event, Kind
from assay.history import Follower
from assay.warm import Zygote
from assay.worker import Worker


class Listening:
    """A base of the cluster."""

    zygote: Zygote

    def _listen_in(self, folder: Path, keeps: Callable[[Event], bool] | None) -> None:
        """From now on, to the events in `folder`, of which `seen` has those that are kept; without `keeps` all are."""
        self._follower = Follower(folder, keeps)
        self._hear: list[Callable[[Event], None]] = []
        self._bell = Bell(folder / BELL)

    @property
    def seen(self) -> list[Event]:
        return self._follower.seen

    def listen(self, hear: Callable[[Event], None]) -> None:
        """From now on tell each event, once, also one that is not kept in `seen`."""
        self._hear.append(hear)

    @contextlib.contextmanager
    def hearing(self, kind: Kind) -> Iterator[list[Event]]:
        """The events of this kind from now on, until the end of the block, also those that are not kept in `seen`."""
        heard: list[Event] = []

        def hear(event: Event) -> None:
            if event.kind is kind:
                heard.append(event)

        self._hear.append(hear)
        try:
            yield heard
        finally:
            self._hear.remove(hear)

    def advance(self) -> None:
        for event in self._follower.advance():
            for hear in self._hear:
                hear(event)

    def wait(self, condition: Callable[[], Any], *, timeout_s: float) -> Any:
        """Wait until `condition()` is truthy, asked whenever something is recorded; its last value, truthy or not.

        Raises HarnessError where the run was ended meanwhile: nothing will be recorded any more.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            self._bell.listen()
            self.advance()
            value = condition()
            left = deadline - time.monotonic()
            if value or left <= 0:
                return value
            if not self.zygote.process.alive():
                raise HarnessError("the processes of the run were ended")
            self._bell.wait(min(left, 0.25))

    def wait_event(
        self,
        wanted: Callable[[Event], bool],
        *,
        what: str,
        timeout_s: float = 10.0,
        alive: Sequence[Worker] = (),
        give_up: Callable[[], bool] = lambda: False,
    ) -> Event:
        """The first event that is wanted, past ones included. Raises HarnessError when it does not come."""

        def found() -> Any:
            event = next((event for event in self.seen if wanted(event)), None)
            if event is None:
                for worker in alive:
                    worker.must_live()
            return event or give_up()

        event = self.wait(found, timeout_s=timeout_s)
        if event is True:
            return Event(time.monotonic_ns(), Kind.WORKER_STOPPED, os.getpid())
        if not event:
            raise HarnessError(f"waited {timeout_s:g} s for {what}, which was not recorded")
        return event  # type: ignore[no-any-return]
