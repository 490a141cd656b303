"""When a cluster has settled (the broker is empty and no attempt is open), and the final read after it."""

import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import psutil

from assay.event import Event, Kind

if TYPE_CHECKING:
    from assay.cluster import Cluster

QUIET_S = 0.06
PATIENCE = 4


class Ledger:
    """What is still open, folded from the events seen so far: it decides when to stop waiting, and judges nothing."""

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
        """True when settled; else False and what was open at the end.

        The end is when nothing was recorded for `timeout_s`: on a slow machine what goes on is not called stuck. What
        goes on for PATIENCE times as long ends too, and so does what is `enough`.
        """
        cluster, now = self._cluster, time.monotonic()
        last = now + PATIENCE * timeout_s
        while not enough():
            quiet_since = max(now, cluster.seen[-1].at_ns / 1e9) if cluster.seen else now
            left = min(quiet_since + timeout_s, last) - time.monotonic()
            if left <= 0:
                break
            if cluster.wait(lambda: not self.open() or enough(), timeout_s=left) and self._quiet():
                return True, []
        return False, self.open() or ["something was still going on"]

    def at_rest(self) -> bool:
        """Whether each message is received or in a queue, none on its way between the two."""
        self._catch_up()
        missing = sum(max(0, due - self._received[key]) for key, due in self._due.items())
        return missing == sum(self._depths().values())

    def _quiet(self) -> bool:
        """Nothing is open, nothing is recorded for a moment, and still nothing is open.

        A message that is just popped is neither in a queue nor unacknowledged (kombu, redis transport: BRPOP, then
        ZADD and HSET), so one look at the broker may miss it.
        """
        before = len(self._cluster.seen)
        self._cluster.wait(lambda: len(self._cluster.seen) > before, timeout_s=QUIET_S)
        return len(self._cluster.seen) == before and not self.open()

    def open(self) -> list[str]:
        """Words for what is open, at most ten; asks the broker only when the events say that nothing is."""
        self._catch_up()
        waiting = [f"{key[:8]} was not received" for key, due in self._due.items() if self._received[key] < due]
        running = [f"{key[:8]} runs in {worker}" for key, worker in self._running.values() if worker not in self._dead]
        running += [
            f"{key[:8]} was accepted" for (key, child), n in self._accepted.items() if n > self._started[key, child]
        ]
        if waiting or running:
            return (waiting + running)[:10]
        return self._broker()

    def _catch_up(self) -> None:
        self._cluster.advance()
        for worker in self._cluster.workers:
            worker.exited()
        seen = self._cluster.seen
        while self._read < len(seen):
            self._fold(seen[self._read])
            self._read += 1

    def _depths(self) -> dict[str, int]:
        cluster, subject = self._cluster, self._cluster.subject
        return cluster.broker.depths(
            cluster.db,
            subject.all_queues(),
            list(subject.priority_steps),
            subject.separator,
            cluster.key_prefix,
        )

    def _broker(self) -> list[str]:
        cluster = self._cluster
        depths = self._depths()
        held = cluster.broker.unacked(cluster.db, cluster.key_prefix)
        return [f"{n} in queue {q}" for q, n in depths.items() if n][:5] + [
            f"{key[:8]} is unacknowledged" for key in held
        ][:5]

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


def final_read(cluster: "Cluster") -> None:
    """Record what the broker holds, what the result backend says, and what is left running."""
    subject = cluster.subject
    steps = list(subject.priority_steps)
    for queue, ids in cluster.broker.queued(
        cluster.db, subject.all_queues(), steps, subject.separator, cluster.key_prefix
    ).items():
        cluster.record(Kind.FINAL_QUEUE, queue=queue, ready=len(ids), ids=ids)
    cluster.record(Kind.FINAL_UNACKED, ids=cluster.broker.unacked(cluster.db, cluster.key_prefix))
    ignoring = {task.name for task in subject.tasks if task.ignore_result}
    ids = list(cluster.invocations)
    for start in range(0, len(ids), 200):
        for invocation, state in cluster.client.ask("states", ids=ids[start : start + 200]).items():
            ignored = subject.result_backend == "disabled" or cluster.invocations[invocation] in ignoring
            cluster.record(Kind.FINAL_RESULT, invocation, state="ignored" if ignored else state)
    for process in cluster.watched:
        if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            cluster.record(Kind.FINAL_PROCESS, left=process.pid, command=" ".join(process.cmdline())[:100])
            process.kill()


def runs(pid: int) -> bool:
    """Whether this process is alive, a zombie being none."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
