"""What a scenario acts on: one cluster, one task, the promise under test, and the checkers that will judge."""

import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from assay import script as scripts
from assay.canvas import Canvas, ends
from assay.checkers import AnyChecker, Evidence, Published, Stops
from assay.checkers.publishing import BY_CELERY, NO_QUEUE, remedy
from assay.cluster import Cluster
from assay.contract import delivery
from assay.contract.delivery import Contract
from assay.errors import HarnessError
from assay.event import Event, Kind, Point
from assay.fault import FAULTLESS
from assay.gate import Waiting
from assay.scaling import Scaling, Target
from assay.scenario import Scenario
from assay.script import Act, Hold, Script
from assay.settings import Call, Settings
from assay.worker import Worker

LINKED = {"link": scripts.LINK, "link_error": scripts.LINK_ERROR}
SETTLE_S = 25.0
EXIT_S = 20.0
GIVEN_BACK_S = 6.0
BEGUN_S = 30.0


class Refused(Exception):
    """The task under test cannot be published; the scenario ends here, and the stage's checkers say so."""


class TooSlowToBegin(HarnessError):
    """A real body was not seen at work: what was to happen to its work cannot be judged."""


class Stage:
    """Handed to `Scenario.act`. Everything is judged later, from what was recorded."""

    def __init__(
        self, scenario: Scenario, target: Target, cluster: Cluster, scaling: Scaling, settings: Settings
    ) -> None:
        self.usual_queues = list(settings.queues)  # what the team's workers are given by -Q; empty: nothing
        self.scaling = scaling
        self.scenario = scenario
        self.target = target
        self.subject = target.subject
        self.task = target.task
        self.cluster = cluster
        self.demanded = settings.delivery
        self._live = settings.live
        self.checkers: list[AnyChecker] = []
        self.setting = ""
        self.promise = ""
        self.remedy = ""
        self.place = ""

    # -- what is promised, and judged

    def claims(self, setting: str, promise: str, remedy: str = "") -> None:
        """The promise that this scenario tests: the setting that makes it, in words, and what to do if it is broken."""
        self.setting, self.promise, self.remedy = setting, promise, remedy

    def contract(self, *, child_lost: bool = True) -> Contract:
        """The delivery contract of the task for this kind of loss; it becomes the claim under test."""
        found = delivery.of(self.task, self.subject, self.demanded, child_lost=child_lost)
        self.claims(found.setting, found.promise, found.remedy)
        return found

    def requires(self, part: str, promise: str, remedy: str = "") -> None:
        """A part of the task's contract is what this scenario tests."""
        self.claims(delivery.claim(self.task, part), promise, remedy)

    def check(self, *checkers: AnyChecker) -> None:
        self.checkers.extend(checkers)

    def conclude(self) -> None:
        """Without evidence nothing counts: where the scenario asked for none of its own, its fault must have landed."""
        if not any(isinstance(each, Evidence) for each in self.checkers):
            landed = int(self.scenario.fault not in FAULTLESS)
            self.check(Evidence(landed=landed, in_flight=False))

    # -- acting

    def worker(self, *, queues: Sequence[str] | None = None, **changes: Any) -> Worker:
        """A ready worker that consumes the task's queue: without -Q where that does it, else with it."""
        if queues is None:
            queue = self.task.queue
            usual = self.usual_queues or self.subject.queues
            queues = self.usual_queues if queue in usual or not queue else [*usual, queue]
        return self.cluster.start_worker(queues=list(queues), **changes)

    def replacement(self, *, after_visibility: bool = True, **changes: Any) -> Worker:
        """A new worker for one that is gone; kombu's clock in it is past the visibility timeout, so no wait for it."""
        offset = self.cluster.beyond_visibility_s if after_visibility else 0.0
        return self.worker(clock_offset_s=offset, **changes)

    def take_over(self, **changes: Any) -> None:
        """The next worker after one that was stopped in an orderly way, until all is settled.

        What was given back runs at once; if anything waits, a second one comes whose clock is past the visibility
        timeout.
        """
        self.worker(**changes)
        if not self.settle(GIVEN_BACK_S):
            self.replacement(**changes)
            self.settle()

    def publish(
        self,
        *acts: Act,
        hold: Point | tuple[Point, ...] = (),
        task: str = "",
        linked: bool = False,
        **options: Any,
    ) -> str:
        """Publish one invocation of the task; it holds at `hold` in its first attempt.

        One that is `linked` has a callback and an errback, which need a worker with `callbacks`.
        """
        if linked:
            queue = {"queue": self.task.queue} if self.task.queue else {}
            options |= {how: _signature(what, queue) for how, what in LINKED.items()}
        points = (hold,) if isinstance(hold, Point) else hold
        options |= self.arguments(task or self.task.name, slow=False)  # a base class may want them, hollow or not
        script = Script(acts=acts or (Act(),), holds=tuple(Hold(point) for point in points))
        return self._published(self.cluster.publish(task or self.task.name, script, **options))[0]

    def publish_canvas(self, *canvases: Canvas) -> None:
        """Publish each, made of parts that were announced by `Cluster.expect`."""
        for canvas in canvases:
            self.cluster.publish_canvas(canvas)
            self._published(*ends(canvas))

    def publish_slow(self) -> tuple[str, Path]:
        """Live: the slow call of the task, and the file that it writes to when it has begun."""
        effect = self.cluster.folder / "effects" / str(len(self.cluster.invocations))
        effect.parent.mkdir(exist_ok=True)
        options = self.arguments(self.task.name, slow=True, effect=effect)
        return self._published(self.cluster.publish(self.task.name, Script(), **options))[0], effect

    def arguments(self, task: str, *, slow: bool, effect: Path | None = None) -> dict[str, Any]:
        """What the user's configuration says that the task is called with."""
        call = self._live.get(task)
        chosen: Call | None = call.slow if call and slow else call
        if chosen is None:
            return {}
        return {"args": _filled(chosen.args, effect), "kwargs": _filled(chosen.kwargs, effect)}

    def wait_working(self, invocation: str, effect: Path) -> int:
        """Wait until the slow body has begun; the pid of the process that runs it. Its descendants are watched.

        Raises TooSlowToBegin where a limit, the body's end or BEGUN_S came before its first effect.
        """

        def mine(kind: Kind) -> list[Event]:
            return [e for e in self.cluster.seen if e.kind == kind and e.invocation == invocation]

        def over() -> str:
            limit = [*mine(Kind.SOFT_LIMIT), *mine(Kind.HARD_LIMIT)]
            if limit:
                return f"its time limit came first, after {float(limit[0].detail['limit_s']):.3g} s of this run"
            ended = [str(e.detail.get("state")) for e in mine(Kind.ATTEMPT_ENDED) if e.detail.get("state") != "RETRY"]
            return f"its attempt ended first, as {ended[0]}" if ended else ""

        def working() -> bool:
            return bool(mine(Kind.BODY_ENTERED)) and effect.exists() and effect.stat().st_size > 0

        self.cluster.wait(lambda: over() or working(), timeout_s=BEGUN_S)
        if working():
            pid = mine(Kind.BODY_ENTERED)[-1].pid
            self.cluster.watch_descendants(pid)
            self.cluster.advance()
        if why := over() or ("" if working() else f"{BEGUN_S:g} s passed"):
            raise TooSlowToBegin(
                f"the slow call of {self.task.name} wrote nothing to its {{effect}}, by which a run knows that the "
                f"body works: {why}; what it does first must be to write there"
            )
        return pid

    def publish_many(self, number: int, *acts: Act, scripted: bool = True, **options: Any) -> list[str]:
        script = Script(acts=acts or (Act(),)) if scripted else None
        options |= self.arguments(self.task.name, slow=False)
        return self._published(*self.cluster.publish_many([(self.task.name, script)] * number, **options))

    def _published(self, *ids: str) -> list[str]:
        """Raises Refused where one could not be published: that is what there is to judge then."""
        refused = next((each for each in ids if each in self.cluster.refused), None)
        if refused is not None:
            why = " ".join(self.cluster.refused[refused].split())
            if not why.startswith(BY_CELERY):
                raise HarnessError(f"{self.cluster.invocations[refused]} could not be published: {why}")
            undeclared = why.startswith(NO_QUEUE)
            self.claims(
                "task_routes" if undeclared and self.subject.setting("task_routes") else "publishing",
                "the task can be published",
                remedy(why, self.task),
            )
            self.place = "" if undeclared else self.task.place
            self.checkers = [Published(ids=[refused])]
            raise Refused(why)
        return list(ids)

    def lands(self, invocation: str, wanted: Callable[[Event], bool], timeout_s: float = SETTLE_S) -> None:
        """The scenario's fault is in the invocation's own body: it has landed when an event of it is `wanted`."""
        cluster, fault = self.cluster, self.scenario.fault
        cluster.record(Kind.FAULT_INJECTED, invocation, fault=fault)

        def landed() -> bool:
            return any(event.invocation == invocation and wanted(event) for event in cluster.seen)

        if cluster.wait(landed, timeout_s=timeout_s):
            cluster.record(Kind.FAULT_LANDED, invocation, fault=fault)

    def at_rest(self) -> None:
        """Wait until each published message is either known to a worker or in its queue, and in no socket between.

        kombu's Redis transport takes a message from its queue (BRPOP) and notes it as unacknowledged a moment later; a
        process killed between the two loses it, whatever the app is configured to. A scenario that is not about that
        moment must not land in it.
        """
        if not self.cluster.wait(self.cluster.ledger.at_rest, timeout_s=10.0):
            raise HarnessError("published messages were neither received nor in their queues within 10 s")

    def delivered(self, invocation: str) -> Event:
        """Wait until a worker has the message; its first RECEIVED event."""
        return self.cluster.wait_event(
            lambda event: event.kind == Kind.RECEIVED and event.invocation == invocation,
            what=f"the delivery of {invocation}",
        )

    def acknowledged_early(self, invocation: str) -> None:
        """Wait until main has acknowledged what a child has begun, where it does so before the body's end.

        The body may be in its middle before main has read that a child has it: a worker killed between the two gives
        back a message that it would have acknowledged a moment later, and the same app recovers or loses by chance.
        """
        if self.task.acks_late or self.target.pool != "prefork":
            return
        self.cluster.wait_event(
            lambda event: event.kind == Kind.ACKED and event.invocation == invocation,
            what=f"the early acknowledgement of {invocation}",
        )

    def hold(self, invocation: str, point: Point, **options: Any) -> Waiting:
        return self.cluster.hold_at(invocation, point, **options)

    def hold_recycling(self, holds: bool) -> None:
        """Whether each child that leaves after its last task holds there, from now on."""
        script = Script(holds=(Hold(Point.RECYCLING, -1),) if holds else ())
        scripts.write(self.cluster.folder / "scripts", scripts.RECYCLING, script)

    def kill_child_at(self, invocation: str, point: Point, **options: Any) -> None:
        """Wait until the attempt stands at the point, and kill its process there."""
        self.cluster.kill_child(self.hold(invocation, point, **options))

    def wait_stopped(self, worker: Worker) -> None:
        """Wait until the worker that was told to stop is gone. One that is not is recorded, and killed."""
        if worker.process.gone(EXIT_S):
            worker.wait(1.0)
        else:
            self.cluster.record(Kind.WORKER_HANGS, worker=worker.name, pid=worker.pid, after_s=EXIT_S)
            worker.kill_group()
        self.check(Stops())

    def signal(self, worker: Worker, number: signal.Signals, invocation: str = "") -> None:
        self.cluster.signal_worker(worker, number, invocation)

    def landed_by_itself(self, invocation: str, fault: str, count: int = 1) -> None:
        """Record, as they become visible, faults that the body inflicts on its own process."""

        def lost() -> bool:
            return sum(e.kind == Kind.CHILD_LOST and e.invocation == invocation for e in self.cluster.seen) >= count

        self.cluster.record(Kind.FAULT_INJECTED, invocation, fault=fault)
        if self.cluster.wait(lost, timeout_s=SETTLE_S):
            last = [e for e in self.cluster.seen if e.kind == Kind.CHILD_LOST and e.invocation == invocation][-1]
            self.cluster.record(
                Kind.FAULT_LANDED,
                invocation,
                worker=last.worker,
                fault=fault,
                target=last.detail.get("child"),
                signal="SIGKILL",
            )

    def starts(self, invocation: str) -> int:
        """How many attempts of it have begun so far."""
        return sum(e.kind == Kind.ATTEMPT_STARTED and e.invocation == invocation for e in self.cluster.seen)

    def pool_processes(self, worker: Worker) -> list[int]:
        """The processes that run bodies: the children, or the main process where the pool has none."""
        return worker.children() if self.target.pool == "prefork" else [worker.pid]

    # -- the end

    def settle(self, timeout_s: float = SETTLE_S, *, enough: Callable[[], bool] = lambda: False) -> bool:
        """Wait until the broker is empty and no attempt is open, or the deadline; which of the two is recorded."""
        return self.cluster.settle(timeout_s, enough=enough)


def _signature(task: str, options: dict[str, Any]) -> dict[str, Any]:
    """As Celery writes it into a message (celery/canvas.py, Signature)."""
    return {"task": task, "args": [], "kwargs": {}, "options": options, "subtask_type": None, "immutable": False}


def _filled(value: Any, effect: Path | None) -> Any:
    """`{effect}` in every string of these arguments becomes the path."""
    if isinstance(value, str):
        return value.replace("{effect}", str(effect or "/dev/null"))
    if isinstance(value, list):
        return [_filled(each, effect) for each in value]
    if isinstance(value, dict):
        return {key: _filled(each, effect) for key, each in value.items()}
    return value
