"""When a cluster has settled: the broker is empty and no attempt is open."""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from assay.event import Event, Kind

if TYPE_CHECKING:
    from assay.cluster import Cluster


class Ledger:
    """What is still open, folded from the events seen so far. Acting side: it decides when to stop waiting, no verdict."""

    def __init__(self, cluster: "Cluster") -> None:
        self._cluster = cluster
        self._read = 0
        self._due: Counter[str] = Counter()  # invocation -> messages that somebody put into the broker
        self._received: Counter[str] = Counter()
        self._accepted: Counter[tuple[str, int]] = Counter()  # (invocation, child), of tasks acknowledged early
        self._where: dict[tuple[str, int], str] = {}
        self._started: Counter[tuple[str, int]] = Counter()
        self._running: dict[str, tuple[str, str]] = {}  # attempt -> (invocation, worker)
        self._late = {task.name for task in cluster.subject.tasks if task.acks_late}
        self._dead: set[str] = set()

    def settle(self, timeout_s: float, enough: Callable[[], bool]) -> tuple[bool, list[str]]:
        """True when settled; else False and what was open at the deadline, or when it was enough."""
        self._cluster.wait(lambda: not self.open() or enough(), timeout_s=timeout_s)
        open_ = self.open()
        return not open_, open_

    def open(self) -> list[str]:
        """Words for what is open, at most ten; asks the broker only when the events say that nothing is."""
        self._cluster.advance()
        for worker in self._cluster.workers:
            worker.exited()
        seen = self._cluster.seen
        while self._read < len(seen):
            self._fold(seen[self._read])
            self._read += 1
        waiting = [f"{key[:8]} was not received" for key, due in self._due.items() if self._received[key] < due]
        running = [f"{key[:8]} runs in {worker}" for key, worker in self._running.values() if worker not in self._dead]
        running += [f"{key[:8]} was accepted" for (key, child), n in self._accepted.items() if n > self._started[key, child]]
        if waiting or running:
            return (waiting + running)[:10]
        return self._broker()

    def _broker(self) -> list[str]:
        cluster, subject = self._cluster, self._cluster.subject
        queues = sorted({*subject.queues, *(task.queue for task in subject.tasks if task.queue)})
        depths = cluster.broker.depths(
            cluster.db, queues, list(subject.priority_steps), subject.separator, subject.global_keyprefix
        )
        held = cluster.broker.unacked(cluster.db, subject.global_keyprefix)
        return [f"{n} in queue {q}" for q, n in depths.items() if n][:5] + [f"{key[:8]} is unacknowledged" for key in held][:5]

    def _fold(self, event: Event) -> None:
        kind, key = event.kind, event.invocation
        if kind == Kind.PUBLISHED or (kind == Kind.SENT and key in self._due):
            self._due[key] += 1
        elif kind == Kind.RECEIVED:
            self._received[key] += 1
        elif kind == Kind.REJECTED and event.detail.get("requeue"):
            self._due[key] += 1
        elif kind == Kind.ACCEPTED and event.task not in self._late:
            job = key, event.detail["child"]
            self._accepted[job] += 1  # the broker shows those that are acknowledged late
            self._where[job] = event.worker
        elif kind == Kind.ATTEMPT_STARTED:
            self._started[key, event.pid] += 1
            self._running[event.attempt] = (key, event.worker)
        elif kind == Kind.ATTEMPT_ENDED:
            self._running.pop(event.attempt, None)
        elif kind in (Kind.CHILD_LOST, Kind.HARD_LIMIT, Kind.REVOKED):
            self._forget(key, event.worker)
        elif kind == Kind.WORKER_EXITED:
            self._dead.add(event.worker)
            here = [key for key, worker in self._running.values() if worker == event.worker]
            here += [key for (key, _), worker in self._where.items() if worker == event.worker]
            for key in here:
                self._forget(key, event.worker)

    def _forget(self, invocation: str, worker: str) -> None:
        """Its attempts on this worker are over, though their processes could not say so."""
        for attempt, running in list(self._running.items()):
            if running == (invocation, worker):
                del self._running[attempt]
        for job in [job for job in self._accepted if job[0] == invocation and self._where[job] == worker]:
            del self._accepted[job]
