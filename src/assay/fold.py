"""One pass over a history: lives by invocation, and the world around them.

A life that went plainly may be forgotten when it closes, so that memory grows with what is open rather than with the
history; `World.forgotten` counts those. Nothing is kept of their ids. So an event that comes later for one of them
begins a life anew, one that nobody published: such lives are `doubtful`, and a second fold that keeps them from the
start sees them whole. This holds because an invocation is published once: the harness draws a new id for each.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

from assay.event import Event, Kind
from assay.life import AGREES, Attempt, Child, Life, World

Forgets = Callable[[Life], bool]
Act = Callable[[Event], None]
ENDING = ("SIGKILL", "exit")  # what a landed fault has done to its target, where that process is gone then


def fold(
    events: Iterable[Event], forgets: Sequence[Forgets] | None = None, ids: Collection[str] = ()
) -> tuple[dict[str, Life], World]:
    """Lives by invocation and the world around them. Events are in clock order.

    With `forgets` a plain life that all of them agree to forget is only counted, unless its id is one of `ids`. Then
    `events` are iterated a second time where more was heard of one that had been forgotten: no iterator will do.
    """
    if forgets is None or isinstance(events, Iterator):
        whole = Fold()
        whole.run(events)
        return whole.lives, whole.world
    first = Fold(forgets, ids)
    first.run(events)
    doubtful = first.doubtful()
    if not doubtful:
        return first.lives, first.world
    del first
    second = Fold(forgets, {*ids, *doubtful})
    second.run(events)
    return second.lives, second.world


class Fold:
    """One dict look-up and one call for an event; kinds that no checker reads have no entry."""

    def __init__(self, forgets: Sequence[Forgets] | None = None, ids: Collection[str] = ()) -> None:
        self.lives: dict[str, Life] = {}
        self.world = World()
        self._forgets = forgets
        self._ids = frozenset(ids)
        self._strangers: set[str] = set()
        self._acts = self._of_lives() | self._of_the_world()

    def run(self, events: Iterable[Event]) -> None:
        find = self._acts.get
        for event in events:
            act = find(event.kind)
            if act is not None:
                act(event)

    def doubtful(self) -> set[str]:
        """Ids that may have been forgotten before something else was heard of them."""
        if not self.world.forgotten:
            return set()
        unpublished = {life.id for life in self.lives.values() if life.publish is not Kind.PUBLISHED}
        return (unpublished | self._strangers) - self._ids

    def _of_lives(self) -> dict[Kind, Act]:
        return {
            Kind.PUBLISHED: self._published,
            Kind.PUBLISH_FAILED: self._published,
            Kind.PUBLISH_IN_DOUBT: self._published,
            Kind.RECEIVED: self._adds("deliveries"),
            Kind.ATTEMPT_STARTED: self._attempt_started,
            Kind.BODY_ENTERED: self._body_entered,
            Kind.BODY_EXITED: self._body_exited,
            Kind.ATTEMPT_ENDED: self._attempt_ended,
            Kind.ACKED: self._acked,
            Kind.REJECTED: self._adds("rejects"),
            Kind.SENT: self._sent(),
            Kind.SOFT_LIMIT: self._adds("limits"),
            Kind.HARD_LIMIT: self._adds("limits"),
            Kind.SIGNAL: self._adds("signals"),
            Kind.RESULT_FAILED: self._adds("unstored"),
            Kind.HELD: self._adds("holds"),
            Kind.RELEASED: self._adds("holds"),
            Kind.HOOK: self._adds("hooks"),
            Kind.REVOKED: self._adds("revocations"),
            Kind.UNKNOWN_TASK: self._unknown,
            Kind.FINAL_RESULT: self._result,
        }

    def _of_the_world(self) -> dict[Kind, Act]:
        of_fault, of_loss = self._adds("faults"), self._adds("lost")
        world = self.world

        def landed(event: Event) -> None:
            of_fault(event)
            _landed(world, event)

        def child_lost(event: Event) -> None:
            of_loss(event)
            _gone(world, event)

        return {
            Kind.FAULT_INJECTED: world.injected.append,
            Kind.FAULT_LANDED: landed,
            Kind.CHILD_LOST: child_lost,
            Kind.CHILD_KILLED: lambda event: _gone(world, event),
            Kind.CONSUMER_ENDED: world.ended.append,
            Kind.CONNECTION_LOST: lambda event: _disconnected(world, event),
            Kind.WORKER_EXITED: lambda event: _gone(world, event),
            Kind.CHILD_STARTED: lambda event: _child(world, event),
            Kind.CHILD_STOPPING: lambda event: _stopping(world, event),
            Kind.SETTLED: lambda event: _settled(world, event),
            Kind.UNSETTLED: lambda event: _settled(world, event),
            Kind.FINAL_QUEUE: self._queued,
            Kind.FINAL_UNACKED: self._unacked,
            Kind.FINAL_PROCESS: world.left.append,
            Kind.WORKER_STOPPING: world.stopping.append,
            Kind.WORKER_HANGS: world.hanging.append,
            Kind.WORKER_SPAWNED: lambda event: _spawned(world, event),
            Kind.SWEPT: self._swept,
            Kind.GIVEN_BACK: self._given_back,
        }

    # -- lives

    def _born(self, event: Event) -> Life:
        """A new life; one that is not kept where the event is of no invocation."""
        life = Life(event.invocation, event.task)
        if event.invocation:
            self.lives[event.invocation] = life
        return life

    def _adds(self, name: str) -> Act:
        """Appends to that sequence of the life, which becomes a list of its own with the first event."""
        find, born = self.lives.get, self._born

        def add(event: Event) -> None:
            life = find(event.invocation) or born(event)
            events = getattr(life, name)
            if events:
                events.append(event)
            else:
                setattr(life, name, [event])

        return add

    def _unknown(self, event: Event) -> None:
        (self.lives.get(event.invocation) or self._born(event)).unknown = True

    def _published(self, event: Event) -> None:
        life = self.lives.get(event.invocation) or self._born(event)
        life.task = life.task or event.task  # what came before may not have known it
        life.publish = event.kind
        life.refused = str(event.detail.get("error") or "")
        life.published_at = event.detail.get("asked_at_ns", event.at_ns)  # recorded after a whole batch
        if life.acks:  # published in a batch, recorded after it: the worker may have been faster
            self._close(life)

    def _sent(self) -> Act:
        add = self._adds("sent")

        def sent(event: Event) -> None:
            add(event)
            life = self.lives.get(event.invocation)
            if life and not life.published_at:
                life.published_at = event.at_ns  # a callback, say: no client ever published it

        return sent

    def _attempt_started(self, event: Event) -> None:
        life = self.lives.get(event.invocation) or self._born(event)
        detail, at_ns = event.detail, event.at_ns
        attempt = Attempt(
            event.attempt,
            event.pid,
            event.worker,
            at_ns,
            detail.get("retries") or 0,
            bool(detail.get("redelivered")),
            bool(detail.get("in_process")),
        )
        attempts: Any = life.attempts
        if attempts:
            attempts.append(attempt)
        else:
            life.attempts = [attempt]
        child = self.world.children.get(event.pid)
        if child is None:
            self.world.children[event.pid] = Child(1, at_ns, at_ns)
        else:
            child.attempts += 1
            child.last_at = at_ns

    def _body_entered(self, event: Event) -> None:
        life = self.lives.get(event.invocation) or self._born(event)
        for attempt in reversed(life.attempts):
            if attempt.token == event.attempt:
                attempt.body_at = event.at_ns
                return

    def _body_exited(self, event: Event) -> None:
        life = self.lives.get(event.invocation) or self._born(event)
        for attempt in reversed(life.attempts):
            if attempt.token == event.attempt:
                attempt.exited_at = event.at_ns
                attempt.raised = str(event.detail.get("raised") or "")
                return

    def _attempt_ended(self, event: Event) -> None:
        life = self.lives.get(event.invocation) or self._born(event)
        life.ends += 1
        for attempt in reversed(life.attempts):
            if attempt.token == event.attempt:
                attempt.ended_at = event.at_ns
                attempt.state = str(event.detail.get("state") or "")
                break
        if life.acks:
            self._close(life)

    def _acked(self, event: Event) -> None:
        life = self.lives.get(event.invocation) or self._born(event)
        acks: Any = life.acks
        if acks:
            acks.append(event)
        else:
            life.acks = [event]
        self._close(life)

    def _swept(self, event: Event) -> None:
        """kombu keeps a message's delivery tag when it gives it back."""
        tags = set(event.detail.get("tags") or ())
        for life in self.lives.values() if tags else ():
            life.restored += any(str(each.detail.get("tag")) in tags for each in life.deliveries)

    def _given_back(self, event: Event) -> None:
        if life := self.lives.get(event.invocation):
            life.restored += 1

    def _result(self, event: Event) -> None:
        state = str(event.detail.get("state", ""))
        life = self.lives.get(event.invocation)
        if life is None:
            if self._forgets is not None and state in AGREES and event.invocation not in self._ids:
                return  # of one that is forgotten, as it should be; of one that never was, it would say nothing
            life = self._born(event)
        life.result = state

    def _close(self, life: Life) -> None:
        """Forget it if it is plain and nobody minds."""
        if self._forgets is None or not life.plain or life.id in self._ids:
            return
        landed = self.world.landed
        if landed and landed[-1].at_ns >= life.deliveries[0].at_ns:
            return  # it was in flight when a fault landed, or may have been
        try:
            for forgets in self._forgets:  # a generator in all() would cost more than the questions
                if not forgets(life):
                    return
        except Exception:
            return  # a checker that raises will say so when it judges
        del self.lives[life.id]
        self.world.forgotten[life.task] += 1

    # -- the final read

    def _queued(self, event: Event) -> None:
        queue = str(event.detail.get("queue"))
        for life in self._known(event):
            life.queued = queue

    def _unacked(self, event: Event) -> None:
        for life in self._known(event):
            life.unacked = True

    def _known(self, event: Event) -> Iterator[Life]:
        for invocation in event.detail.get("ids", ()):
            life = self.lives.get(invocation)
            if life is None:
                self._strangers.add(invocation)
            else:
                yield life


def _landed(world: World, event: Event) -> None:
    world.landed.append(event)
    target = event.detail.get("target")
    if isinstance(target, int) and event.detail.get("signal") in ENDING:
        world.dead.setdefault(target, event.at_ns)


def _disconnected(world: World, event: Event) -> None:
    world.disconnected = world.disconnected or event


def _gone(world: World, event: Event) -> None:
    """What the harness closes while something goes on has not died of anything: what still ran may have gone on."""
    closed = event.kind is Kind.WORKER_EXITED and event.detail.get("closed", world.settled is not None)
    if closed and world.settled is False:
        return
    pid = event.detail.get("pid" if event.kind is Kind.WORKER_EXITED else "child")
    if isinstance(pid, int):
        world.dead.setdefault(pid, event.at_ns)
    if event.kind is Kind.WORKER_EXITED:
        if not closed:
            world.exited.append(event)
        for child, worker in world.started.items():  # pool children do not outlive their main process
            if worker == event.worker:
                world.dead.setdefault(child, event.at_ns)


def _settled(world: World, event: Event) -> None:
    world.settled = event.kind is Kind.SETTLED
    world.open = [str(each) for each in event.detail.get("open", ())]


def _spawned(world: World, event: Event) -> None:
    offset = world.offsets[event.worker] = float(event.detail.get("clock_offset_s") or 0)
    if offset:
        world.ahead.append((event.at_ns, offset))


def _child(world: World, event: Event) -> None:
    world.started[event.pid] = event.worker


def _stopping(world: World, event: Event) -> None:
    world.dead.setdefault(event.pid, event.at_ns)
