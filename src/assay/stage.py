"""What a scenario acts on: one cluster, one task, the promise under test, and the checkers that will judge."""

import os
import signal
from collections.abc import Callable, Sequence
from typing import Any

from assay import contract
from assay.checker import Checker
from assay.cluster import Cluster
from assay.contract import Contract
from assay.event import Kind, Point
from assay.gate import Waiting
from assay.scaling import Scaling, Target
from assay.scenario import Scenario
from assay.script import Act, Hold, Script
from assay.settle import Ledger
from assay.worker import Worker

SETTLE_S = 25.0


class Stage:
    """Handed to `Scenario.act`. Everything is judged later, from what was recorded."""

    def __init__(self, scenario: Scenario, target: Target, cluster: Cluster, scaling: Scaling, demanded: str) -> None:
        self.scaling = scaling
        self.scenario = scenario
        self.target = target
        self.subject = target.subject
        self.task = target.task
        self.cluster = cluster
        self.demanded = demanded
        self.checkers: list[Checker] = []
        self.setting = ""
        self.promise = ""
        self.remedy = ""
        self.place = ""
        self._ledger = Ledger(cluster)

    # -- what is promised

    def claims(self, setting: str, promise: str, remedy: str = "") -> None:
        """The promise that this scenario tests: the setting that makes it, in words, and what to do if it is broken."""
        self.setting, self.promise, self.remedy = setting, promise, remedy

    def contract(self, *, child_lost: bool = True) -> Contract:
        """The delivery contract of the task for this kind of loss; it becomes the claim under test."""
        found = contract.of(self.task, self.subject, self.demanded, child_lost=child_lost)
        self.claims(found.setting, found.promise, found.remedy)
        return found

    def check(self, *checkers: Checker) -> None:
        self.checkers.extend(checkers)

    # -- acting

    def worker(self, *, queues: Sequence[str] | None = None, **changes: Any) -> Worker:
        """A ready worker that consumes the task's queue: without -Q where that does it, else with it."""
        if queues is None:
            queue = self.task.queue
            queues = [] if queue in self.subject.queues or not queue else [*self.subject.queues, queue]
        return self.cluster.start_worker(queues=list(queues), **changes)

    def replacement(self, *, after_visibility: bool = True, **changes: Any) -> Worker:
        """A new worker for one that is gone; kombu's clock in it is past the visibility timeout, so nothing is waited for."""
        offset = self.subject.visibility_timeout + 60 if after_visibility else 0.0
        return self.worker(clock_offset_s=offset, **changes)

    def publish(self, *acts: Act, hold: Point | None = None, task: str = "", **options: Any) -> str:
        """Publish one invocation of the task; it holds at `hold` in its first attempt."""
        holds = (Hold(hold),) if hold else ()
        script = Script(acts=acts or (Act(),), holds=holds)
        return self.cluster.publish(task or self.task.name, script, **options)

    def publish_many(self, number: int, *acts: Act, scripted: bool = True) -> list[str]:
        script = Script(acts=acts or (Act(),)) if scripted else None
        return self.cluster.publish_many([(self.task.name, script)] * number)

    def hold(self, invocation: str, point: Point, **options: Any) -> Waiting:
        return self.cluster.hold_at(invocation, point, **options)

    def kill_child_at(self, invocation: str, point: Point, **options: Any) -> None:
        """Wait until the attempt stands at the point, and kill its process there."""
        self.cluster.kill_child(self.hold(invocation, point, **options))

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
                Kind.FAULT_LANDED, invocation, worker=last.worker, fault=fault, target=last.detail.get("child"), signal="SIGKILL"
            )

    def starts(self, invocation: str) -> int:
        """How many attempts of it have begun so far."""
        return sum(e.kind == Kind.ATTEMPT_STARTED and e.invocation == invocation for e in self.cluster.seen)

    def pool_processes(self, worker: Worker) -> list[int]:
        """The processes that run bodies: the children, or the main process where the pool has none."""
        return worker.children() if self.target.pool == "prefork" else [worker.pid]

    # -- the end

    def settle(self, timeout_s: float = SETTLE_S, *, enough: Callable[[], bool] = lambda: False) -> bool:
        """Wait until the broker is empty and no attempt is open, or the deadline; which of the two is recorded.

        `enough` ends the wait early, unsettled: a loop has shown itself, say.
        """
        settled, open_ = self._ledger.settle(timeout_s, enough)
        self.cluster.record(Kind.SETTLED if settled else Kind.UNSETTLED, **({} if settled else {"open": open_}))
        return settled

    def final_read(self) -> None:
        """What the broker holds, what the result backend says, and what is left running."""
        cluster, subject = self.cluster, self.subject
        queues = sorted({*subject.queues, *(task.queue for task in subject.tasks if task.queue)})
        queued = cluster.broker.queued(
            cluster.db, queues, list(subject.priority_steps), subject.separator, subject.global_keyprefix
        )
        for queue, ids in queued.items():
            cluster.record(Kind.FINAL_QUEUE, queue=queue, ready=len(ids), ids=ids)
        cluster.record(Kind.FINAL_UNACKED, ids=cluster.broker.unacked(cluster.db, subject.global_keyprefix))
        ids = list(cluster.invocations)
        for start in range(0, len(ids), 200):
            for invocation, state in cluster.client.ask("states", ids=ids[start : start + 200]).items():
                ignored = self.subject.result_backend == "disabled" or self._ignores(invocation)
                cluster.record(Kind.FINAL_RESULT, invocation, state="ignored" if ignored else state)
        self._read_processes()

    def _ignores(self, invocation: str) -> bool:
        name = self.cluster.invocations[invocation]
        return any(task.name == name and task.ignore_result for task in self.subject.tasks)

    def _read_processes(self) -> None:
        for event in list(self.cluster.seen):
            pid = event.detail.get("spawned") if event.kind == Kind.EFFECT else None
            if pid and _runs(pid):
                self.cluster.record(Kind.FINAL_PROCESS, event.invocation, left=pid, command="sleep 60")
                os.kill(pid, signal.SIGKILL)


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except OSError:
        return False
