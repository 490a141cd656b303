"""What a worker whose clock a fault has set ahead takes over from the others. Pure."""

from collections import defaultdict
from typing import NamedTuple

from assay.event import Event, Kind

TAKES_OVER = ("clock ahead", "SIGSTOP past visibility")  # faults that start such a worker
Key = tuple[str, str]  # fault, task


class Taken(NamedTuple):
    """A message that a worker has and has not acknowledged."""

    task: str
    worker: str
    tag: str


class TakenOver:
    """Hears events in their order. `by`: the invocations, beside the one that the fault was meant for.

    What a dead worker had is not among them: that comes back by any worker ahead of time, as it is to.
    """

    def __init__(self) -> None:
        self.by: dict[Key, list[str]] = defaultdict(list)
        self._fault = ""  # that is about to start a worker
        self._ahead: dict[str, str] = {}  # worker -> the fault that has started it
        self._unacknowledged: dict[str, Taken] = {}  # by invocation

    def hear(self, event: Event) -> None:
        kind = event.kind
        if kind is Kind.RECEIVED:
            self._unacknowledged[event.invocation] = Taken(event.task, event.worker, str(event.detail.get("tag")))
        elif kind in (Kind.ACKED, Kind.REJECTED):
            self._unacknowledged.pop(event.invocation, None)
        elif kind is Kind.WORKER_EXITED:
            self._unacknowledged = {
                i: taken for i, taken in self._unacknowledged.items() if taken.worker != event.worker
            }
        elif kind is Kind.FAULT_INJECTED:
            self._fault = str(event.detail["fault"])
        elif kind is Kind.WORKER_SPAWNED and self._fault in TAKES_OVER and event.detail.get("clock_offset_s"):
            self._ahead[event.worker], self._fault = self._fault, ""
        elif kind is Kind.SWEPT and event.worker in self._ahead:
            tags = set(event.detail.get("tags") or ())
            for invocation, taken in self._unacknowledged.items():
                if taken.tag in tags:
                    self.by[self._ahead[event.worker], taken.task].append(invocation)
