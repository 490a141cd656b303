"""What happened to each invocation (Life), and around them (World). `fold` makes both from a history."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from assay.event import Event, Kind


class Attempt(msgspec.Struct, eq=False):
    """One start of a body. Times are monotonic nanoseconds; `exited_at` is None where its process died in it."""

    token: str
    pid: int
    worker: str
    started_at: int
    retries: int = 0
    redelivered: bool = False
    in_process: bool = False  # an errback that was called where the failure was noticed, not run from a message
    body_at: int | None = None
    exited_at: int | None = None
    raised: str = ""
    ended_at: int | None = None
    state: str = ""

    @property
    def done(self) -> bool:
        """The body returned: the work is done."""
        return self.exited_at is not None and not self.raised


class Life(msgspec.Struct, eq=False):
    """One invocation. Sequences are in clock order; the events themselves are kept where their detail matters.

    They begin as the one empty tuple: most stay empty, and a dozen new lists would be most of what a Life costs.
    """

    id: str
    task: str = ""
    publish: Kind | None = None
    published_at: int = 0
    refused: str = ""  # why it could not be published
    attempts: Sequence[Attempt] = ()
    deliveries: Sequence[Event] = ()
    acks: Sequence[Event] = ()
    rejects: Sequence[Event] = ()
    sent: Sequence[Event] = ()
    limits: Sequence[Event] = ()
    signals: Sequence[Event] = ()
    faults: Sequence[Event] = ()
    holds: Sequence[Event] = ()
    lost: Sequence[Event] = ()
    unstored: Sequence[Event] = ()  # results that the backend did not take
    hooks: Sequence[Event] = ()  # the task's own, and what was linked to it
    revocations: Sequence[Event] = ()
    ends: int = 0  # of attempts, as they were told
    restored: int = 0  # times that kombu gave it back to its queue: past the visibility timeout, or as a worker ended
    unknown: bool = False
    queued: str = ""
    unacked: bool = False
    result: str | None = None

    @property
    def revoked(self) -> bool:
        return bool(self.revocations)

    @property
    def done(self) -> int:
        return sum(attempt.done for attempt in self.attempts)

    @property
    def pending(self) -> bool:
        """The broker still holds it."""
        return bool(self.queued) or self.unacked

    @property
    def vanished(self) -> bool:
        """More messages of it were put into a queue than ever reached a worker, and the broker has none of them."""
        requeued = sum(bool(event.detail.get("requeue")) for event in self.rejects)
        put = 1 + len(self.retries_sent) + requeued + self.restored
        return self.publish is Kind.PUBLISHED and not self.done and not self.pending and len(self.deliveries) < put

    @property
    def calls(self) -> list[int]:
        """When somebody put it into the broker anew, or called it as an errback; retries and redeliveries are none."""
        sent = [event.at_ns for event in self.sent if not event.detail.get("retries")]
        own = [self.published_at] if self.publish is not None else []
        return sorted([*own, *sent, *(each.started_at for each in self.attempts if each.in_process)])

    @property
    def retries_sent(self) -> list[Event]:
        return [event for event in self.sent if (event.detail.get("retries") or 0) > 0]

    @property
    def plain(self) -> bool:
        """Nothing but: published, delivered, attempted and acknowledged once, its body returned, SUCCESS."""
        if not len(self.attempts) == len(self.acks) == len(self.deliveries) == 1 or self.publish is not Kind.PUBLISHED:
            return False
        if self.rejects or self.sent or self.limits or self.faults or self.holds or self.lost or self.unstored:
            return False
        if self.revoked or self.unknown or self.queued or self.unacked or self.result not in AGREES:
            return False
        attempt = self.attempts[0]
        return attempt.ended_at is not None and attempt.state == "SUCCESS" and attempt.done


AGREES = (None, "SUCCESS", "ignored")  # what the result backend may say of a plain life


class Child(msgspec.Struct, eq=False):
    """A process that ran attempts: how many, and when the first and the last of them began."""

    attempts: int
    first_at: int
    last_at: int


class World:
    """What is not of one invocation alone."""

    def __init__(self) -> None:
        self.injected: list[Event] = []
        self.landed: list[Event] = []
        self.settled: bool | None = None  # of the last time that it was waited for
        self.open: list[str] = []
        self.dead: dict[int, int] = {}  # pid -> when it was known to be gone
        self.disconnected: Event | None = None  # the first time that a worker lost its connection to the broker
        self.children: dict[int, Child] = {}  # pid -> the attempts that it ran
        self.started: dict[int, str] = {}  # pid of a pool child -> worker
        self.left: list[Event] = []
        self.stopping: list[Event] = []  # workers that said that they stop
        self.ended: list[Event] = []  # consumers that an exception ended, a shutdown among them
        self.exited: list[Event] = []  # main processes that ended before the harness closed them, whoever asked for it
        self.hanging: list[Event] = []  # those of them that did not
        self.offsets: dict[str, float] = {}  # worker -> how far its clock is ahead, seconds
        self.ahead: list[tuple[int, float]] = []  # when one was started whose clock is, and how far
        self.forgotten: Counter[str] = Counter()  # task -> plain lives of it that are not among the lives any more
