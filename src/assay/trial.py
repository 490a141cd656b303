"""A cluster in a test: act on it in a few lines, then ask what became of an invocation, or let checkers judge."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, get_args, get_type_hints

import msgspec

from assay.checker import Checker, check, conclude
from assay.checkers import Published, Undeclared
from assay.cluster import HOLD_S, SETTLE_S, Cluster
from assay.errors import UsageError
from assay.event import Event, Kind, Point
from assay.fault import called
from assay.faults import registry
from assay.gate import Waiting
from assay.history import History
from assay.launch import starter
from assay.scaling import Target, countdowns
from assay.script import Act, Hold, Script
from assay.selection import nearest
from assay.settle import leaves_orphans, runs
from assay.story import told
from assay.untried import judge, untried
from assay.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from assay.bench import Bench

AT_REST = (Kind.SETTLED, Kind.UNSETTLED)
ENDS, ERRORS = (get_args(get_type_hints(Act)[name]) for name in ("ends", "error"))
ACTS = f"Act takes {', '.join(Act.__struct_fields__)}; ends is {', '.join(ENDS)}; error is {', '.join(ERRORS)}"
LOOKS = (Kind.FINAL_QUEUE, Kind.FINAL_UNACKED, Kind.FINAL_RESULT, Kind.FINAL_PROCESS)  # which set nothing going


class Trial(Cluster):
    """Handed to a test by the fixture `assay_cluster`."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self._holds: dict[str, Point | None] = {}  # where the first attempt of what was sent waits
        self._stands: dict[str, Waiting] = {}  # what was waited for at its crash point
        self._replaced: set[str] = set()

    @classmethod
    def on(cls, bench: "Bench", folder: Path, *, concurrency: int = 0, live: bool = False, task: str = "") -> Self:
        """A trial on a bench; retry delays are scaled by those of `task`, or of the task with the longest."""
        subject, settings = bench.subject, bench.settings
        scalings = [countdowns(Target(subject, each, bench.pool)) for each in subject.tasks if task in ("", each.name)]
        scaled = max(scalings, key=lambda scaling: scaling.countdown).redirection
        return cls(
            bench.zygote,
            bench.broker,
            folder,
            bench.supervisor.folder,
            0,
            pool=bench.pool,
            concurrency=concurrency or settings.concurrency,
            live=live,
            scaled=scaled,
            start=starter(settings, bench.supervisor),
        )

    def send(self, task: str, *acts: Act, hold: Point | str | None = None, **options: Any) -> str:
        """Publish one invocation whose attempts do `acts` in turn and whose first one holds at `hold`.

        Raises UsageError for a task that the app does not have, or a crash point or an act that there is not.
        """
        names = [each.name for each in self.subject.tasks]
        if task not in names:
            raise UsageError(f"{self.subject.app} has no task {task}{nearest(task, names)}")
        holds = (Hold(_point(hold)),) if hold else ()
        for act in acts:
            _must_be_an_act(act)
        invocation = self.publish(task, Script(acts=acts or (Act(),), holds=holds), **options)
        self._holds[invocation] = holds[0].point if holds else None
        return invocation

    def _to_judge(self) -> list[Event]:
        """The history, at rest: what is still under way is neither done nor stuck."""
        self.advance()
        going = (event for event in self.seen if event.kind not in LOOKS)
        last = max(going, key=lambda event: event.at_ns, default=None)
        if last is None or last.kind not in AT_REST:
            self.settle(enough=self._stays_open)
        self._must_not_stand()
        self.final_read()
        return self.history

    def _must_not_stand(self) -> None:
        """Or what is open would be taken for the app's fault: it waits for this very test."""
        self.advance()
        settled = [event.kind is Kind.SETTLED for event in self.seen if event.kind in AT_REST]
        for invocation, point in () if settled[-1] else self._standing().items():
            name = f"{self.invocations[invocation].rpartition('.')[2]}[{invocation[:8]}]"
            raise UsageError(
                f"{name} still stands at its hold, {point}: let it go by release(invocation), or kill it there by "
                f'kill_child_at(invocation, "{point}") or strike(...), before you ask what became of it'
            )

    def _standing(self) -> dict[str, Point]:
        """Invocations that wait at a crash point now."""
        held: dict[tuple[str, int], Event] = {}
        for event in self.seen:
            if event.kind is Kind.HELD and event.invocation in self.invocations:
                held[event.invocation, event.pid] = event
            elif event.kind is Kind.RELEASED:
                held.pop((event.invocation, event.pid), None)
        return {key: Point(event.detail["point"]) for (key, pid), event in held.items() if runs(pid)}

    def _stays_open(self) -> bool:
        """Whether what is open would still be so after any wait: it stands at a hold, or no worker may take it."""
        if standing := self._standing():
            return self._without_limits(standing) and self.ledger.rests(standing)
        if any(runs(pid) for pid in self.ledger.working()):
            return False
        serving = [each for each in self.workers if each.alive()]
        if not serving:
            given_back = self.beyond_visibility_s or not self.ledger.unacked()  # or the broker is about to do so
            return bool(given_back and self.ledger.open())
        return (
            not self._gives_back() and not any(self._clocks[each.name] for each in serving) and self.ledger.orphaned()
        )

    def _without_limits(self, invocations: Iterable[str]) -> bool:
        """Whether nothing but the test ends their holds: no time limit, and no shutdown."""
        tasks = [self.subject.task(self.invocations[each]) for each in invocations]
        limited = any(task.soft_time_limit or task.time_limit for task in tasks)
        return not limited and not any(self.stops(each) for each in self.workers)

    def _gives_back(self) -> bool:
        """Whether a worker gives back what a dead one had while the end is waited for."""
        return self.subject.visibility_timeout + self.subject.restore_period_s < SETTLE_S

    def _open(self, events: list[Event]) -> dict[str, str]:
        """What is open because this test let nobody take it."""
        by_itself = self._gives_back() and any(each.alive() for each in self.workers)
        return untried(events, 0.0 if by_itself else self.beyond_visibility_s)

    def _must_hold(self, invocation: str, point: Point) -> None:
        """Or it would be waited for in vain."""
        if invocation in self._holds and self._holds[invocation] != point:
            raise UsageError(f'nothing holds there: send(..., hold="{point}") makes its first attempt wait')

    def hold_at(self, invocation: str, point: Point, *, start: int | None = None, timeout_s: float = HOLD_S) -> Waiting:
        """Wait until an attempt of this invocation stands at the crash point."""
        waiting = self._stands[invocation] = super().hold_at(invocation, point, start=start, timeout_s=timeout_s)
        return waiting

    def release(self, invocation: str) -> None:
        """Wait until its first attempt stands where `send(hold=...)` said, and let it go on."""
        point = self._holds.get(invocation)
        if point is None:
            raise UsageError(f'nothing holds {invocation}: send(..., hold="body_middle") makes its first attempt wait')
        waiting = self._stands.pop(invocation, None) or self.hold_at(invocation, point)
        waiting.release()

    def kill_child_at(self, invocation: str, point: Point | str) -> None:
        """Wait until its attempt stands at the crash point, and kill that process there."""
        self._must_hold(invocation, _point(point))
        self.kill_child(self.hold_at(invocation, _point(point)))

    def strike(self, invocation: str, fault: str, point: Point | str, *, lasts_s: float = 0.0) -> None:
        """Wait until its attempt stands at the crash point, and let one of the faults of `assay chaos` land there."""
        name = called(fault)
        self._must_hold(invocation, _point(point))
        waiting = self.hold_at(invocation, _point(point))
        worker = next(each for each in self.workers if each.name == waiting.held.worker)
        heal = registry()[name](self, worker, waiting)
        if heal:
            self.wait(lambda: False, timeout_s=lasts_s)
            heal()

    def recover(self) -> None:
        """What a supervisor and time do: a worker for each that is gone, and a clock past the visibility timeout."""
        for worker in [each for each in self.workers if not each.alive() or self.stops(each)]:
            if worker.name not in self._replaced:
                self._replaced.add(worker.name)
                self.replace(worker)
        for offset_s in self.clocks_ahead():
            if not leaves_orphans(lambda enough: self.settle(enough=enough), self._is_orphaned):
                return
            self.start_worker(clock_offset_s=offset_s)
        self.settle()

    def _is_orphaned(self) -> bool:
        self.ledger.write_off()
        return self.ledger.orphaned()

    @property
    def history(self) -> list[Event]:
        """Everything recorded so far, in clock order."""
        return list(History(self.folder))

    def outcome(self, invocation: str) -> Outcome | None:
        """What became of it once broker and workers are at rest: ok, recovered, lost, duplicated, ..."""
        from assay.checkers import Delivery

        return conclude(check([Delivery(contract="any", ids=[invocation])], self._to_judge()))[1]

    def check(self, *checkers: Checker) -> None:
        """Once all is at rest, raise AssertionError where a checker finds a violation or cannot tell."""
        events = self._to_judge()
        judgements = judge([*checkers, *self._refused(checkers)], events, self._open(events))
        verdict, _, _, reason = conclude(judgements)
        if verdict != Verdict.HELD:
            involved = dict.fromkeys(i for each in judgements if each.verdict == verdict for i in each.invocations)
            stories = "\n\n".join("\n".join(told(events, each)) for each in list(involved)[:3])
            raise AssertionError(f"{verdict}: {reason}\n\n{stories}\n\nrun folder: {self.folder}")

    def _refused(self, checkers: Sequence[Checker]) -> list[Checker]:
        """What was sent must have been published, unless a checker is asked about just that."""
        spoken_of = {each for checker in checkers if isinstance(checker, Undeclared) for each in checker.ids}
        refused = [each for each in self.refused if each not in spoken_of]
        return [Published(ids=refused)] if refused else []


def _point(named: Point | str) -> Point:
    try:
        return Point(named)
    except ValueError:
        names = [str(each) for each in Point]
        raise UsageError(
            f"no crash point is named {named}{nearest(named, names)}; there are {', '.join(names)}"
        ) from None


def _must_be_an_act(given: object) -> None:
    """Raises UsageError for what a worker could not read."""
    if not isinstance(given, Act):
        raise UsageError(f"{given!r} is no Act: send(task, Act(...), hold=point), args=[...] are the task's own")
    try:
        msgspec.convert(msgspec.to_builtins(given), Act)
    except msgspec.ValidationError as error:
        raise UsageError(f"Act cannot be so: {error}; {ACTS}") from None
