"""One chaos run: warm up, faults under load, heal, drain, fresh tasks, final read. `judging` says what became of it."""

import contextlib
import time
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from assay.aims import Aim
from assay.chaos.draw import LONGEST, Job, aimed_at, task_of
from assay.chaos.script import ChaosScript, Strike
from assay.cluster import READY_S, Cluster
from assay.counted import counted
from assay.errors import HarnessError, UsageError
from assay.event import Event, Kind, Point
from assay.fault import STRIKING
from assay.faults import Heal, registry
from assay.gate import Waiting
from assay.hold import Held
from assay.progress import Progress
from assay.script import Act, Script
from assay.settle import final_read, leaves_orphans
from assay.worker import Worker

BATCH = 16
RESULTS = 100  # that are taken out of the result backend at once
TOLD_S = 5.0  # between two words about how far it is
EARLY_S = 5.0  # that main may need to acknowledge what a child has begun
EXIT_S = 10.0  # that a worker has which was told to stop, and whose bodies have ended
STALLED_S = 15.0  # without an event, and more than a body may take, or the next one's publication
MOST_DEAD_AT_START = 3
MOST_AGAIN = 2  # times that a fault is thrown again
NEVER = "the attempt that it was for never stood there, or the run was over"
FRESH = 2  # for each task, after all
ENDS = ("SUCCESS", "FAILURE")
FAULTS = (Kind.FAULT_INJECTED, Kind.FAULT_LANDED, Kind.FAULT_HEALED)


def keeps(event: Event) -> bool:
    """What the cluster has to remember of a run whose invocations are many."""
    if event.kind in (Kind.CHILD_STARTED, Kind.CHILD_STOPPING):
        return False
    return not event.invocation or event.kind in FAULTS


class Healing(NamedTuple):
    """What ends a fault, and when it is due: on the monotonic clock."""

    at: float
    worker: str
    strike: Strike
    heal: Heal


class Campaign:
    """Publishes, strikes, heals and starts again what has ended, all in one thread, whenever something is recorded."""

    def __init__(self, cluster: Cluster, script: ChaosScript, queues: list[str], progress: Progress) -> None:
        self._cluster = cluster
        self._script = script
        self._queues = queues
        self._progress = progress
        self._known = registry()
        self._strikes = script.strikes()
        self._aimed = aimed_at(script)
        self._awaited = {(strike.task, strike.nth, strike.point): strike for strike in script.aimed}
        self._longest_s = LONGEST * script.workload.work_s  # of a body
        self._stalled = 0  # invocations that were not published since nothing happened any more
        self._unhealed: list[str] = []
        self._left = script.workload.numbers
        self._jobs: dict[str, Job] = {}  # invocation -> what of the workload it is, where faults strike it
        self._struck: set[str] = set()  # invocations that a fault strikes, or is about to
        self._wanted = script.workers
        self._ready: set[str] = set()
        self._stops_by: dict[str, float] = {}  # worker that was told to stop -> when it is called hanging
        self._beyond = script.workload.number  # the number of the last invocation
        self._heals: list[Healing] = []
        self._acked: set[str] = set()  # of those that are struck
        self._half_done: dict[str, Kind] = {}  # invocation -> what was heard of it: its end, or its acknowledgement
        self._done: list[str] = []  # whose results may still be kept: nobody will ask for them
        self._dead_at_start = 0
        self.counts: Counter[str] = Counter()
        self._unlanded = dict.fromkeys(script.faults, NEVER)  # and why
        self.stopping = False  # asked to end early
        self._told = self._began = time.monotonic()
        if script.aimed:
            cluster.aim([Aim(strike.task, strike.nth, strike.point) for strike in script.aimed])
        cluster.listen(self._hear)

    def run(self, until: float) -> None:
        """Publish until all of the workload is, or the monotonic clock is at `until`; then heal, drain and read."""
        self._progress.phase(f"starting {self._script.workers} workers")
        self._look_after_workers()
        for worker in list(self._cluster.workers):
            self._cluster.wait_ready(worker)
        self._progress.phase("faults under load")
        self._began = time.monotonic()
        self._load(until)
        if self._left:  # it ended early: no more of it
            self._stalled = 0 if self._over(until) else len(self._left)
            self.stopping = True
        self._progress.phase("healing and draining")
        self._heal(float("inf"))
        self._drain()
        self._once_more()
        self._fresh()
        self._cluster.wait(lambda: self._tick() and not self._ending(), timeout_s=2 * self._exit_s)
        self._progress.phase("final read")
        final_read(self._cluster, list(self._struck))

    # -- what goes on

    def _hear(self, event: Event) -> None:
        if event.kind is Kind.WORKER_READY:
            self._ready.add(event.worker)
            self._dead_at_start = 0
        elif event.kind is Kind.WORKER_STOPPING:
            self._stops_by.setdefault(event.worker, time.monotonic() + self._exit_s)
        elif event.kind is Kind.ATTEMPT_STARTED and "nth" in event.detail:
            self._keep_awaited(event)
        elif event.kind is Kind.ATTEMPT_ENDED:
            self.counts["ended"] += 1
            if event.detail.get("state") in ENDS:
                self._forget(event)
        elif event.kind is Kind.ACKED:
            if event.invocation in self._struck:
                self._acked.add(event.invocation)
            self._forget(event)

    def _keep_awaited(self, event: Event) -> None:
        """The start that a fault waits for: known before it stands where it is struck, which may be at its end."""
        invocation, nth = event.invocation, event.detail["nth"]
        if invocation in self._cluster.invocations and any((event.task, nth, p) in self._awaited for p in Point):
            self._struck.add(invocation)
            if self._half_done.pop(invocation, None) is Kind.ACKED:
                self._acked.add(invocation)

    def _forget(self, event: Event) -> None:
        """One that has ended and is acknowledged, whichever was heard first, and that no fault strikes."""
        invocation = event.invocation
        if invocation in self._struck or invocation not in self._cluster.invocations:
            self._half_done.pop(invocation, None)
        elif self._half_done.setdefault(invocation, event.kind) is not event.kind:
            del self._half_done[invocation]
            self._cluster.forget_invocation(invocation)
            self._done.append(invocation)

    def _load(self, until: float) -> None:
        while not self._over(until):
            before = self.counts.total()
            pause_s = STALLED_S + self._longest_s + (1 / rate if (rate := self._script.workload.rate) else 0.0)
            self._cluster.wait(lambda: self._tick() and self._over(until), timeout_s=pause_s)
            if self.counts.total() == before and not self._over(until):
                return  # stalled: nothing will come of waiting, and the drain will say what is open

    def _over(self, until: float) -> bool:
        return self.stopping or time.monotonic() >= until or (not self._left and not self._cluster.ledger.backlog())

    def _tick(self) -> bool:
        """All that is due now. True, so that it can stand in a condition."""
        if time.monotonic() - self._told >= TOLD_S:
            self._told = time.monotonic()
            counts = self.counts
            self._progress.phase(
                f"{counts['published']} published, {counted(counts['ended'], 'attempt')} ended, "
                f"{counts['landed']} of {counted(len(self._script.faults), 'fault')} landed"
            )
        while waiting := self._cluster.gate.next(0.0):
            self._strike(waiting)
            self._forgive(waiting.held.worker)
        self._heal(time.monotonic())
        self._look_after_workers()
        if not self._heals and self._all_ready():
            self._cluster.ledger.write_off()
        if not self._heals and len(self._done) >= RESULTS:  # where the results are away, nobody would be answered
            done, self._done = self._done, []
            self._cluster.forget_results(done)
        self._publish()
        return True

    def _publish(self) -> None:
        """Enough that no child waits for work, and no more: what waits in a queue when a fault lands tells less.

        Or as many as are due by now, where a rate is given, whatever becomes of them.
        """
        enough = 2 * self._script.workers * self._script.concurrency
        rate, number = self._script.workload.rate, BATCH
        if self.stopping or not self._left:
            return
        if rate:
            number = int((time.monotonic() - self._began) * rate) + 1 - self.counts["published"]
        elif self._cluster.ledger.backlog() >= enough:
            return
        if number <= 0:
            return
        numbers, self._left = self._left[:number], self._left[number:]
        subject = self._cluster.subject
        self._send([Job(self._script, subject, n, self._strikes.get(n, ()), self._aimed) for n in numbers])

    def _send(self, jobs: list[Job]) -> None:
        ids = self._cluster.publish_many([(job.task, job.script) for job in jobs], payloads=[j.payload for j in jobs])
        for invocation, job in zip(ids, jobs, strict=True):
            self.counts["published"] += 1
            if job.strikes:
                self._jobs[invocation] = job
                self._struck.add(invocation)

    # -- faults

    def _strike(self, waiting: Waiting) -> None:
        held = waiting.held
        strike = self._meant(held)
        worker = next((each for each in self._cluster.workers if each.name == held.worker), None)
        if strike is None or worker is None or not worker.alive() or self.stopping:
            waiting.release()
            return
        self._struck.add(held.invocation)
        kind = STRIKING[strike.fault]
        always = kind.takes_child or kind.everywhere or strike.fault.startswith("SIGKILL")
        if worker.name in self._stops_by and not always:
            self._unlanded[strike] = "its worker was ending already"
            waiting.release()
            return
        self._heal(float("inf"), "" if kind.everywhere else worker.name)  # one fault at a time on each worker
        self._wait_acknowledged_early(held.invocation)
        try:
            heal = self._known[strike.fault](self._cluster, worker, waiting)
        except HarnessError as error:
            self._unlanded[strike] = str(error).splitlines()[0]
            waiting.release()
            return
        self.counts["landed"] += 1
        self._unlanded.pop(strike, None)
        if kind.leaves_none:
            self._wanted = 0
        if heal:
            self._heals.append(Healing(time.monotonic() + strike.lasts_s, worker.name, strike, heal))

    def _meant(self, held: Held) -> Strike | None:
        """The fault that waits for what is held. One that is aimed at its invocation goes before one that counts."""
        job = self._jobs.get(held.invocation)
        if job and (strike := job.strikes.get((held.start + 1, held.point))):
            return strike
        task = self._cluster.invocations.get(held.invocation, "")
        return self._awaited.get((task, held.nth, held.point))

    def _forgive(self, worker: str) -> None:
        """One that is to stop has waited for a body that was held here, maybe while another fault was thrown."""
        if worker in self._stops_by:
            self._stops_by[worker] = time.monotonic() + self._exit_s

    def _wait_acknowledged_early(self, invocation: str) -> None:
        """Or it were chance, which no replay repeats, whether main has read by now that a child has it."""
        cluster = self._cluster
        if cluster.pool == "prefork" and not cluster.subject.task(cluster.invocations[invocation]).acks_late:
            cluster.wait(lambda: invocation in self._acked, timeout_s=EARLY_S)

    def _heal(self, now: float, worker: str = "") -> None:
        for healing in [each for each in self._heals if each.at <= now]:
            everywhere = STRIKING[healing.strike.fault].everywhere
            if worker in ("", healing.worker) or everywhere:
                self._heals.remove(healing)
                self._wanted = self._script.workers
                try:
                    healing.heal()
                except HarnessError as error:
                    self._unhealed.append(f"{healing.strike.fault}: {str(error).splitlines()[0]}")

    # -- workers

    @property
    def _exit_s(self) -> float:
        return EXIT_S + self._longest_s

    def _start(self) -> None:
        self._cluster.start_worker(wait=False, queues=self._queues, concurrency=self._script.concurrency)

    def _all_ready(self) -> bool:
        return all(worker.name in self._ready for worker in self._cluster.workers if worker.alive())

    def _look_after_workers(self) -> None:
        """As a supervisor would: there are as many as are wanted, and one that does not stop is killed in the end.

        One that was told to stop is followed at once, as in a deployment, which does not wait for the old one's end.
        """
        for worker in list(self._cluster.workers):
            if not worker.alive():
                worker.exited()
                self._cluster.advance()  # what it has recorded is heard before it is forgotten
                self._cluster.forget(worker)
                if worker.name not in self._ready:
                    self._died_at_start(worker)
            elif time.monotonic() > self._stops_by.get(worker.name, float("inf")):
                self._cluster.record(Kind.WORKER_HANGS, worker=worker.name, pid=worker.pid, after_s=self._exit_s)
                with contextlib.suppress(HarnessError), self._cluster.standing_still(worker):
                    worker.kill_group()
                if worker.alive():
                    worker.kill_group()
        serving = sum(worker.name not in self._stops_by for worker in self._cluster.workers)
        for _ in range(self._wanted - serving):
            self._start()

    def _died_at_start(self, worker: Worker) -> None:
        self._dead_at_start += 1
        if self._dead_at_start >= MOST_DEAD_AT_START:
            said = worker.process.last_words()
            raise UsageError(f"a worker of {self._cluster.subject.app} does not start again\n{said}")

    # -- the end

    def _drain(self) -> None:
        """Until nothing is open. What dead workers had comes back once kombu's clock is past the visibility timeout.

        Faults may strike that worker too, and what it had is stamped by its clock: the next one's is further ahead.
        """
        for offset_s in self._cluster.clocks_ahead():
            if not leaves_orphans(self._settle, self._is_orphaned):
                return
            self._cluster.start_worker(
                queues=self._queues, concurrency=self._script.concurrency, clock_offset_s=offset_s
            )
        self._settle(lambda: False)

    def _once_more(self) -> None:
        """What did not land is thrown again, at invocations beyond the workload: its worker may have ended before."""
        for _ in range(MOST_AGAIN):
            if self.stopping or not self._unlanded:
                return
            self._progress.phase(f"once more: {len(self._unlanded)} faults that did not land")
            self._awaited.clear()  # each has an invocation now that it strikes
            self._send([self._once_more_of(strike) for strike in list(self._unlanded)])
            self._drain()

    def _once_more_of(self, strike: Strike) -> Job:
        """The next invocation beyond the workload that is of the task that the fault was for."""
        subject = self._cluster.subject
        script = self._script
        task = strike.task or task_of(script.seed, script.workload, strike.invocation)
        while True:
            self._beyond += 1
            job = Job(script, subject, self._beyond, [strike])
            if job.task == task:
                return job

    def _is_orphaned(self) -> bool:
        """A worker that hangs in its shutdown still takes messages from the queue: it is to be gone first."""
        self._cluster.ledger.write_off()
        return not self._ending() and self._cluster.ledger.orphaned()

    def _ending(self) -> bool:
        """Whether a worker that was told to stop is still there; one that hangs will not be for long."""
        return any(each.name in self._stops_by and each.alive() for each in self._cluster.workers)

    def _settle(self, enough: Callable[[], bool]) -> bool:
        return self._cluster.settle(
            self._longest_s + (STALLED_S if self._all_ready() else READY_S), enough=lambda: self._tick() and enough()
        )

    def must_have_published(self) -> None:
        """Raises HarnessError where the workload was given up before its end: of what was not sent nothing is known."""
        if self._stalled:
            number = len(self._script.workload.numbers)
            raise HarnessError(
                f"nothing happened any more, so {counted(self._stalled, 'invocation')} of {number} were not published"
            )

    def told(self) -> list[str]:
        """What became of the faults that were drawn."""
        said = [f"chaos: did not heal: {each}" for each in self._unhealed]
        if not self._unlanded:
            return said
        drawn = len(self._script.faults)
        missed = Counter(f"{strike.fault}: {why}" for strike, why in self._unlanded.items())
        said.append(f"chaos: {drawn - len(self._unlanded)} of {counted(drawn, 'fault')} landed")
        return said + [f"chaos: {counted(times, 'fault')} did not land: {why}" for why, times in missed.items()]

    def _fresh(self) -> None:
        """Progress is demanded when all is healed."""
        tasks = self._script.workload.tasks
        self._cluster.publish_many([(task, Script(acts=(Act(),))) for task in tasks] * FRESH)
        self._settle(lambda: False)
