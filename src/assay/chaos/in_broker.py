"""What the broker has at each moment of a history: what it loses when it comes back empty. Pure."""

from collections import defaultdict

from assay.event import Event, Kind
from assay.fault import BROKER_EMPTIED


class InBroker:
    """Hears events in their order. `emptied`: by task, the invocations that it had when it was emptied."""

    def __init__(self) -> None:
        self.emptied: dict[str, list[str]] = defaultdict(list)
        self._has: dict[str, list[str]] = {}  # invocation -> its task, for each message of it: a retry is one more

    def hear(self, event: Event) -> None:
        kind = event.kind
        if kind in (Kind.PUBLISHED, Kind.SENT):
            self._has.setdefault(event.invocation, []).append(event.task)
        elif kind is Kind.ACKED or (kind is Kind.REJECTED and not event.detail.get("requeue")):
            self._taken(event.invocation)
        elif kind is Kind.FAULT_INJECTED and event.detail["fault"] == BROKER_EMPTIED:
            for invocation, (task, *_) in self._has.items():
                self.emptied[task].append(invocation)
            self._has.clear()

    def _taken(self, invocation: str) -> None:
        messages = self._has.get(invocation, [])
        if len(messages) > 1:
            messages.pop()
        else:
            self._has.pop(invocation, None)
