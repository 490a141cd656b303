"""What a worker whose clock a fault has set ahead takes over from the others. Pure."""

from collections import defaultdict

from assay.event import Event, Kind

TAKES_OVER = ("clock ahead", "SIGSTOP past visibility")  # faults that start such a worker
Key = tuple[str, str]  # fault, task


class TakenOver:
    """Hears events in their order. `by`: the invocations, beside the one that the fault was meant for."""

    def __init__(self) -> None:
        self.by: dict[Key, list[str]] = defaultdict(list)
        self._fault = ""  # that is going on
        self._ahead: dict[str, str] = {}  # worker -> the fault that has started it
        self._unacknowledged: dict[str, tuple[str, str]] = {}  # invocation -> its task, and its delivery's tag

    def hear(self, event: Event) -> None:
        kind = event.kind
        if kind is Kind.RECEIVED:
            self._unacknowledged[event.invocation] = event.task, str(event.detail.get("tag"))
        elif kind in (Kind.ACKED, Kind.REJECTED):
            self._unacknowledged.pop(event.invocation, None)
        elif kind is Kind.FAULT_INJECTED and event.detail["fault"] in TAKES_OVER:
            self._fault = str(event.detail["fault"])
        elif kind is Kind.FAULT_HEALED and event.detail.get("fault") == self._fault:
            self._fault = ""
        elif kind is Kind.WORKER_SPAWNED and self._fault and event.detail.get("clock_offset_s"):
            self._ahead[event.worker] = self._fault
        elif kind is Kind.SWEPT and event.worker in self._ahead:
            tags = set(event.detail.get("tags") or ())
            for invocation, (task, tag) in self._unacknowledged.items():
                if tag in tags:
                    self.by[self._ahead[event.worker], task].append(invocation)
