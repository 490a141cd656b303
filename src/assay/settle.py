"""When a cluster has settled (the broker is empty and no attempt is open), and the final read after it."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

import psutil

from assay.brokers.databases import UNREADABLE
from assay.errors import HarnessError
from assay.event import Event, Kind

if TYPE_CHECKING:
    from assay.cluster import Cluster

QUIET_S = 0.06
LATE_NS = 1_000_000_000  # that a message may need from its queue to a worker
PATIENCE = 4
COUNTED_S = 60.0  # that a broker may need for numbers that are newer than the last event: RabbitMQ's quorum queues 5 s


class Ledger:
    """What is still open, folded from the events seen so far: it decides when to stop waiting, and judges nothing."""

    def __init__(self, cluster: "Cluster") -> None:
        self._cluster = cluster
        self._heard = 0
        self._last_ns = 0
        #: invocation -> messages that somebody put into the broker, less deliveries; only where that is not nothing
        self._due: Counter[str] = Counter()
        self._in_doubt: set[str] = set()  # invocations whose first message is in the broker, or never was
        self._held: Counter[tuple[str, str]] = Counter()  # (invocation, worker) -> messages unacknowledged there
        #: (invocation, child) -> how often the child took it, less starts; of tasks acknowledged early
        self._accepted: Counter[tuple[str, int]] = Counter()
        self._where: dict[tuple[str, int], str] = {}
        self._running: dict[str, tuple[str, str, int]] = {}  # attempt -> (invocation, worker, pid)
        self._late = {task.name for task in cluster.subject.tasks if task.acks_late}
        self._dead: set[str] = set()
        self._mains: set[int] = set()
        cluster.listen(self._fold)

    def settle(self, timeout_s: float, enough: Callable[[], bool]) -> tuple[list[str], bool]:
        """What was open at the end, nothing where all has settled; and whether nothing happened for `timeout_s` then.

        The end is when nothing was recorded for `timeout_s`: on a slow machine what goes on is not called stuck. What
        goes on for PATIENCE times as long ends too, and so does what is `enough`.
        """
        cluster, now = self._cluster, time.monotonic()
        last = now + PATIENCE * timeout_s
        quiet = False
        while not enough():
            quiet_until = max(now, self._last_ns / 1e9) + timeout_s
            left = min(quiet_until, last) - time.monotonic()
            if left <= 0:
                if self.count() and not self.open():
                    return [], True  # it had settled, and only the broker could not say so yet
                quiet = quiet_until <= last
                break
            if cluster.wait(lambda: not self.open() or enough(), timeout_s=left) and self._quiet():
                return [], True
        return self.open() or ["something was still going on"], quiet

    def at_rest(self) -> bool:
        """Whether each message is received or in a queue, none on its way between the two."""
        return self.backlog() == sum(self._depths().values())

    def backlog(self) -> int:
        """How many messages are in a queue, or on their way to a worker."""
        self._catch_up()
        return sum(due for due in self._due.values() if due > 0)

    def orphaned(self) -> bool:
        """Whether nothing is open but what workers had that are gone: it comes back after the visibility timeout."""
        if not self._cluster.beyond_visibility_s:
            return False  # such a broker has given it back by itself
        if self._waiting() or any(self._depths().values()) or self._on_its_way():
            return False
        held = self._cluster.broker.unacked(self._cluster.db, self._cluster.key_prefix)
        theirs = {invocation for invocation, _ in self._held}
        return bool(held) and theirs.isdisjoint(held)

    def working(self) -> list[int]:
        """Processes whose attempts have begun and not ended; some of them may be gone."""
        self._catch_up()
        return [pid for _, _, pid in self._running.values()]

    def held(self) -> list[str]:
        """Invocations whose messages workers have and have not settled, as far as their events tell."""
        self._catch_up()
        return [invocation for invocation, _ in self._held.elements()]

    def rests(self, besides: Collection[str]) -> bool:
        """Whether nothing is open but these."""
        return not self.open(besides) and self._quiet(besides)

    def unacked(self) -> list[str]:
        """Invocations that the broker has delivered and that are not acknowledged.

        A broker that tells only how many there are is believed, and the workers' events say which, where they agree.
        """
        told = self._cluster.broker.unacked(self._cluster.db, self._cluster.key_prefix)
        held = self.held() if UNREADABLE in told else []
        return held if len(held) == len(told) else told

    def count(self) -> bool:
        """Wait until the broker's numbers are newer than the last event; whether there was anything to wait for.

        What happens meanwhile is not waited for as well. Raises HarnessError where they get no newer.
        """
        if not self._stale():
            return False
        now, broker, db = time.monotonic_ns(), self._cluster.broker, self._cluster.db
        if not self._cluster.wait(lambda: not broker.stale(db, now), timeout_s=COUNTED_S):
            raise HarnessError(f"what the broker tells of unacknowledged messages is older than {COUNTED_S:g} s")
        return True

    def _stale(self) -> bool:
        return self._cluster.broker.stale(self._cluster.db, self._last_ns)

    def _quiet(self, besides: Collection[str] = ()) -> bool:
        """Nothing is open, nothing is recorded for a moment, and still nothing is open.

        A message that is just popped is neither in a queue nor unacknowledged (kombu, redis transport: BRPOP, then
        ZADD and HSET), so one look at the broker may miss it, however long the worker needs from one to the other.
        """
        before = self._heard
        self._cluster.wait(lambda: self._heard > before, timeout_s=QUIET_S)
        return not self._on_its_way() and not self.open(besides) and self._heard == before

    def _on_its_way(self) -> bool:
        """Whether a message may be, to a worker that has an answer to its BRPOP and will soon ask again.

        One that does not is stopped, deaf or of a connection that is gone: what it was given, nobody will note.
        """
        soon = time.monotonic_ns() - self._last_ns < LATE_NS
        return soon and self._cluster.broker.taking(self._cluster.db) > 0

    def open(self, besides: Collection[str] = ()) -> list[str]:
        """Words for what is open, at most ten; asks the broker only when the events say that nothing is.

        What `besides` names is not looked at, while it is in no queue.
        """
        return self._waiting(besides) or self._broker(besides)

    def _waiting(self, besides: Collection[str] = ()) -> list[str]:
        self._catch_up()
        waiting = [(key, f"{key[:8]} was not received") for key, due in self._due.items() if due > 0]
        running = [
            (key, f"{key[:8]} runs in {worker}")
            for key, worker, _ in self._running.values()
            if worker not in self._dead
        ]
        running += [(key, f"{key[:8]} was accepted") for (key, _), n in self._accepted.items() if n > 0]
        return [said for key, said in waiting + running if key not in besides][:10]

    def _catch_up(self) -> None:
        for worker in self._cluster.workers:
            worker.exited()
        self._cluster.advance()

    def _depths(self) -> dict[str, int]:
        cluster, subject = self._cluster, self._cluster.subject
        return cluster.broker.depths(
            cluster.db,
            subject.all_queues(),
            list(subject.priority_steps),
            subject.separator,
            cluster.key_prefix,
        )

    def _broker(self, besides: Collection[str]) -> list[str]:
        ready = [f"{n} in queue {q}" for q, n in self._depths().items() if n][:5]
        if not ready and self._stale():
            return ["the broker has not yet counted what is unacknowledged"]
        return ready + [f"{key[:8]} is unacknowledged" for key in self.unacked() if key not in besides][:5]

    def _fold(self, event: Event) -> None:
        kind, key = event.kind, event.invocation
        self._heard += 1
        self._last_ns = max(self._last_ns, event.at_ns)
        if kind == Kind.PUBLISHED or (kind == Kind.SENT and key in self._cluster.invocations):
            _add(self._due, key, 1)
        elif kind == Kind.PUBLISH_IN_DOUBT:
            self._in_doubt.add(key)
        elif kind == Kind.RECEIVED:
            given_back = event.detail.get("redelivered") or key in self._in_doubt  # by the broker itself, or it arrived
            if not given_back or self._due.get(key, 0) > 0:
                _add(self._due, key, -1)
            _add(self._held, (key, event.worker), 1)
        elif kind is Kind.CONNECTION_CLOSED:
            self._let_go(event.worker)
        elif kind in (Kind.ACKED, Kind.REJECTED):
            if (key, event.worker) in self._held:
                _add(self._held, (key, event.worker), -1)
            if event.detail.get("requeue"):
                _add(self._due, key, 1)
        elif kind == Kind.ACCEPTED and event.task not in self._late:
            job = key, event.detail["child"]
            _add(self._accepted, job, 1)  # the broker shows those that are acknowledged late
            if job in self._accepted:
                self._where[job] = event.worker
        elif kind == Kind.ATTEMPT_STARTED:
            if event.task not in self._late:
                job = key, event.pid
                _add(self._accepted, job, -1)
                if job in self._accepted:
                    self._where[job] = event.worker
            self._running[event.attempt] = (key, event.worker, event.pid)
        elif kind == Kind.ATTEMPT_ENDED:
            if event.detail.get("leaves") and event.pid not in self._mains:
                return  # it ended its child as well (SystemExit), and what becomes of it is main's to say
            self._running.pop(event.attempt, None)
            if (key, event.pid) not in self._accepted:
                self._where.pop((key, event.pid), None)
        elif kind in (Kind.LOSS_HANDLED, Kind.CHILD_KILLED, Kind.REVOKED) or event.detail.get("handed_on"):
            self._forget(key, event.worker, event.detail.get("child"))
        elif kind is Kind.WORKER_STARTED:
            self._mains.add(event.pid)
        elif kind == Kind.WORKER_EXITED:
            self._dead.add(event.worker)
            self._let_go(event.worker)
            here = [key for key, worker, _ in self._running.values() if worker == event.worker]
            here += [key for (key, _), worker in self._where.items() if worker == event.worker]
            for key in here:
                self._forget(key, event.worker)

    def _let_go(self, worker: str) -> None:
        """What it had unacknowledged is nobody's, or another worker's."""
        for job in [job for job in self._held if job[1] == worker]:
            del self._held[job]

    def write_off(self) -> None:
        """What is in no queue, and reached no worker although nothing happened for a while, is not waited for."""
        if time.monotonic_ns() - self._last_ns < LATE_NS or not self.backlog() or any(self._depths().values()):
            return
        for key in [key for key, due in self._due.items() if due > 0]:
            del self._due[key]

    def _forget(self, invocation: str, worker: str, child: int | None = None) -> None:
        """Its attempts on this worker are over, though their processes could not say so; of a `child` only that one's.

        What replaces a task has the same id, and may run beside it.
        """
        for attempt, (key, where, pid) in list(self._running.items()):
            if (key, where) == (invocation, worker) and child in (None, pid):
                del self._running[attempt]
        for job, where in list(self._where.items()):
            if (job[0], where) == (invocation, worker) and child in (None, job[1]):
                del self._where[job]
                self._accepted.pop(job, None)


def _add(counts: Counter[Any], key: Any, number: int) -> None:
    """What is balanced is forgotten: a long run has many invocations, and few of them open."""
    counts[key] += number
    if not counts[key]:
        del counts[key]


def final_read(cluster: "Cluster", only: Sequence[str] | None = None) -> None:
    """Record what the broker holds, what the result backend says (of `only`, or of all), and what is left running."""
    cluster.ledger.count()
    subject = cluster.subject
    steps = list(subject.priority_steps)
    for queue, ids in cluster.broker.queued(
        cluster.db, subject.all_queues(), steps, subject.separator, cluster.key_prefix
    ).items():
        cluster.record(Kind.FINAL_QUEUE, queue=queue, ready=len(ids), ids=ids)
    cluster.record(Kind.FINAL_UNACKED, ids=cluster.ledger.unacked())
    ignoring = {task.name for task in subject.tasks if task.ignore_result}
    ids = list(cluster.invocations) if only is None else list(only)
    for start in range(0, len(ids), 200):
        for invocation, state in cluster.client.ask("states", ids=ids[start : start + 200]).items():
            ignored = subject.result_backend == "disabled" or cluster.invocations[invocation] in ignoring
            cluster.record(Kind.FINAL_RESULT, invocation, state="ignored" if ignored else state)
    for process in cluster.watched:
        if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            cluster.record(Kind.FINAL_PROCESS, left=process.pid, command=" ".join(process.cmdline())[:100])
            process.kill()


def leaves_orphans(settle: Callable[[Callable[[], bool]], bool], orphaned: Callable[[], bool]) -> bool:
    """Settle, and whether it ended because all that is open is what workers had that are gone.

    Asked a second time it may be otherwise: one of them may be given back just then.
    """
    found = False

    def enough() -> bool:
        nonlocal found
        found = orphaned()
        return found

    return not settle(enough) and found


def runs(pid: int) -> bool:
    """Whether this process is alive, a zombie being none."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
