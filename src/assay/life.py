"""One fold over a history: what happened to each invocation (Life), and around them (World)."""

from collections.abc import Callable, Iterable

from assay.event import Event, Kind


class Attempt:
    """One start of a body. Times are monotonic nanoseconds; `exited_at` is None where its process died in it."""

    __slots__ = (
        "body_at",
        "ended_at",
        "exited_at",
        "pid",
        "raised",
        "redelivered",
        "retries",
        "started_at",
        "state",
        "token",
        "worker",
    )

    def __init__(self, event: Event) -> None:
        self.token = event.attempt
        self.pid = event.pid
        self.worker = event.worker
        self.started_at = event.at_ns
        self.retries = int(event.detail.get("retries") or 0)
        self.redelivered = bool(event.detail.get("redelivered"))
        self.body_at: int | None = None
        self.exited_at: int | None = None
        self.raised = ""
        self.ended_at: int | None = None
        self.state = ""

    @property
    def done(self) -> bool:
        """The body returned: the work is done."""
        return self.exited_at is not None and not self.raised


class Life:
    """One invocation. Lists are in clock order; the events themselves are kept where their detail matters."""

    __slots__ = (
        "acks",
        "attempts",
        "deliveries",
        "effects",
        "faults",
        "holds",
        "id",
        "limits",
        "lost",
        "publish",
        "published_at",
        "queued",
        "rejects",
        "result",
        "revoked",
        "sent",
        "signals",
        "stored",
        "task",
        "unacked",
        "unknown",
    )

    def __init__(self, invocation: str) -> None:
        self.id = invocation
        self.task = ""
        self.publish: Kind | None = None
        self.published_at = 0
        self.attempts: list[Attempt] = []
        self.deliveries: list[Event] = []
        self.acks: list[Event] = []
        self.rejects: list[Event] = []
        self.sent: list[Event] = []
        self.stored: list[Event] = []
        self.limits: list[Event] = []
        self.signals: list[Event] = []
        self.faults: list[Event] = []
        self.holds: list[Event] = []
        self.effects: list[Event] = []
        self.lost: list[Event] = []
        self.revoked = False
        self.unknown = False
        self.queued = ""
        self.unacked = False
        self.result: str | None = None

    @property
    def done(self) -> int:
        return sum(attempt.done for attempt in self.attempts)

    @property
    def pending(self) -> bool:
        """The broker still holds it."""
        return bool(self.queued) or self.unacked

    @property
    def retries_sent(self) -> list[Event]:
        return [event for event in self.sent if (event.detail.get("retries") or 0) > 0]


class World:
    """What is not of one invocation alone."""

    def __init__(self) -> None:
        self.injected: list[Event] = []
        self.landed: list[Event] = []
        self.settled: bool | None = None  # of the last time that it was waited for
        self.open: list[str] = []
        self.dead: dict[int, int] = {}  # pid -> when it was known to be gone
        self.children: dict[int, list[Attempt]] = {}  # pid -> attempts that it ran
        self.started: dict[int, str] = {}  # pid of a pool child -> worker
        self.left: list[Event] = []
        self.offsets: dict[str, float] = {}  # worker -> how far its clock is ahead, seconds
        self.hard_limited: set[int] = set()


def fold(events: Iterable[Event]) -> tuple[dict[str, Life], World]:
    """Lives by invocation and the world around them. Events are in clock order; those of other kinds are passed by."""
    lives: dict[str, Life] = {}
    world = World()
    running: dict[str, Attempt] = {}
    for event in events:
        key = event.invocation
        if key:
            life = lives.get(key)
            if life is None:
                life = lives[key] = Life(key)
            if event.task and not life.task:
                life.task = event.task
            act = _OF_LIFE.get(event.kind)
            if act is not None:
                act(life, event)
            elif event.kind is Kind.ATTEMPT_STARTED:
                attempt = running[event.attempt] = Attempt(event)
                life.attempts.append(attempt)
                world.children.setdefault(event.pid, []).append(attempt)
            elif event.attempt and event.attempt in running:
                _of_attempt(running[event.attempt], event)
        around = _OF_WORLD.get(event.kind)
        if around is not None:
            around(world, event, lives)
    return lives, world


def _of_attempt(attempt: Attempt, event: Event) -> None:
    if event.kind is Kind.BODY_ENTERED:
        attempt.body_at = event.at_ns
    elif event.kind is Kind.BODY_EXITED:
        attempt.exited_at = event.at_ns
        attempt.raised = str(event.detail.get("raised") or "")
    elif event.kind is Kind.ATTEMPT_ENDED:
        attempt.ended_at = event.at_ns
        attempt.state = str(event.detail.get("state") or "")


def _published(life: Life, event: Event) -> None:
    life.publish, life.published_at = event.kind, event.at_ns


def _result(life: Life, event: Event) -> None:
    life.result = str(event.detail.get("state", ""))


def _revoked(life: Life, event: Event) -> None:
    life.revoked = True


def _unknown(life: Life, event: Event) -> None:
    life.unknown = True


_OF_LIFE: dict[Kind, Callable[[Life, Event], None]] = {
    Kind.PUBLISHED: _published,
    Kind.PUBLISH_FAILED: _published,
    Kind.PUBLISH_IN_DOUBT: _published,
    Kind.RECEIVED: lambda life, event: life.deliveries.append(event),
    Kind.ACKED: lambda life, event: life.acks.append(event),
    Kind.REJECTED: lambda life, event: life.rejects.append(event),
    Kind.SENT: lambda life, event: life.sent.append(event),
    Kind.RESULT_STORED: lambda life, event: life.stored.append(event),
    Kind.SOFT_LIMIT: lambda life, event: life.limits.append(event),
    Kind.HARD_LIMIT: lambda life, event: life.limits.append(event),
    Kind.SIGNAL: lambda life, event: life.signals.append(event),
    Kind.FAULT_LANDED: lambda life, event: life.faults.append(event),
    Kind.HELD: lambda life, event: life.holds.append(event),
    Kind.RELEASED: lambda life, event: life.holds.append(event),
    Kind.EFFECT: lambda life, event: life.effects.append(event),
    Kind.CHILD_LOST: lambda life, event: life.lost.append(event),
    Kind.REVOKED: _revoked,
    Kind.UNKNOWN_TASK: _unknown,
    Kind.FINAL_RESULT: _result,
}

Around = Callable[[World, Event, dict[str, Life]], None]


def _landed(world: World, event: Event, lives: dict[str, Life]) -> None:
    world.landed.append(event)
    target = event.detail.get("target")
    if isinstance(target, int) and event.detail.get("signal") in (None, "SIGKILL"):
        world.dead.setdefault(target, event.at_ns)


def _gone(world: World, event: Event, lives: dict[str, Life]) -> None:
    pid = event.detail.get("child") if event.kind is Kind.CHILD_LOST else event.detail.get("pid")
    if isinstance(pid, int):
        world.dead.setdefault(pid, event.at_ns)
    if event.kind is Kind.WORKER_EXITED:  # pool children do not outlive their main process
        for child, worker in world.started.items():
            if worker == event.worker:
                world.dead.setdefault(child, event.at_ns)


def _queued(world: World, event: Event, lives: dict[str, Life]) -> None:
    for invocation in event.detail.get("ids", ()):
        if invocation in lives:
            lives[invocation].queued = str(event.detail.get("queue"))


def _unacked(world: World, event: Event, lives: dict[str, Life]) -> None:
    for invocation in event.detail.get("ids", ()):
        if invocation in lives:
            lives[invocation].unacked = True


def _settled(world: World, event: Event, lives: dict[str, Life]) -> None:
    world.settled = event.kind is Kind.SETTLED
    world.open = [str(each) for each in event.detail.get("open", ())]


def _limited(world: World, event: Event, lives: dict[str, Life]) -> None:
    if isinstance(event.detail.get("child"), int):
        world.hard_limited.add(event.detail["child"])


def _spawned(world: World, event: Event, lives: dict[str, Life]) -> None:
    world.offsets[event.worker] = float(event.detail.get("clock_offset_s") or 0)


def _child(world: World, event: Event, lives: dict[str, Life]) -> None:
    world.started[event.pid] = event.worker


def _stopping(world: World, event: Event, lives: dict[str, Life]) -> None:
    world.dead.setdefault(event.pid, event.at_ns)


_OF_WORLD: dict[Kind, Around] = {
    Kind.FAULT_INJECTED: lambda world, event, lives: world.injected.append(event),
    Kind.FAULT_LANDED: _landed,
    Kind.WORKER_EXITED: _gone,
    Kind.CHILD_LOST: _gone,
    Kind.CHILD_STARTED: _child,
    Kind.CHILD_STOPPING: _stopping,
    Kind.SETTLED: _settled,
    Kind.UNSETTLED: _settled,
    Kind.FINAL_QUEUE: _queued,
    Kind.FINAL_UNACKED: _unacked,
    Kind.FINAL_PROCESS: lambda world, event, lives: world.left.append(event),
    Kind.HARD_LIMIT: _limited,
    Kind.WORKER_SPAWNED: _spawned,
}
