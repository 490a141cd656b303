"""A cluster whose workers others run: the same acts as in `assay.cluster`, by commands, proved from what is heard."""

import contextlib
import secrets
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec

from assay.aims import NAME as AIMS
from assay.aims import Aim
from assay.brokers import external, speaks_amqp
from assay.cluster import Cluster
from assay.counted import listed
from assay.elsewhere import clocks
from assay.elsewhere.address import Address
from assay.elsewhere.clocks import Offset
from assay.elsewhere.commands import Commands, Listing
from assay.elsewhere.fit import must_fit
from assay.elsewhere.gate import FarGate
from assay.elsewhere.intake import Intake
from assay.elsewhere.route import channel_of
from assay.elsewhere.table import Workers
from assay.elsewhere.worker import FarProcess, FarWorker
from assay.errors import AssayError, HarnessError, UsageError
from assay.event import Event, Kind
from assay.gate import Waiting
from assay.script import Script
from assay.worker import Worker

NOTICES_S = 10.0
AT_REST_S = 5.0
STEADY_S = 0.2  # in which a worker with room has taken what waits
ANSWERS_S = 1.0  # that a worker has to answer a ping; one that does not within it, and did before, is paused
AFTER_S = 0.3  # that a killed one is listened for: what stood at a crash point would go on, and say so
SHOWN = 3


class FarCluster(Cluster):
    """`workers` is the table of the configuration; everything else as in Cluster."""

    def __init__(self, *args: Any, workers: Workers, spawn: Callable[..., Any], **options: Any) -> None:
        super().__init__(*args, **options)
        self.gate.close()
        self._table = workers
        self._run = f"assay-{secrets.token_hex(3)}"  # the names of its workers begin with it
        self._commands = Commands(workers)
        self._killed: dict[str, int] = {}  # worker -> when that had landed
        self._refuted: dict[str, str] = {}
        self._needed: dict[str, str] = {}  # queue -> a task that goes there
        self._listing = Listing(self._commands)
        try:
            self._must_have_results()
            self._channel, self._place, self._prefix = channel_of(workers, self.broker, self._scratch, spawn)
            self._intake = Intake(self._channel, self.folder)
        except BaseException:
            self._listing.close()
            raise
        self._results_there = ""
        if speaks_amqp(self.broker.name) and self.redirection.result_backend:
            self._store_results_beside_the_recorder()
        self.gate = FarGate(self._channel)
        self.listen(self.gate.hear)
        self.listen(self._note)

    def _must_have_results(self) -> None:
        """Raises UsageError where they would be kept where nobody elsewhere stores them: a RabbitMQ keeps none."""
        if speaks_amqp(self.broker.name) and self.redirection.result_backend and "://" not in self._table.recorder:
            raise UsageError(
                f"workers: {self.subject.app} stores results, and the run's broker keeps none: recorder must be a "
                "Redis, which takes them too"
            )

    def _store_results_beside_the_recorder(self) -> None:
        """Under keys that go with the recorder's."""
        table, options = self._table, {"global_keyprefix": f"{self._prefix}results:"}
        self._results_there = external.for_celery(table.recorder_there or table.recorder)
        self.redirection = msgspec.structs.replace(
            self.redirection,
            result_backend=external.for_celery(table.recorder),
            settings=self.redirection.settings | {"result_backend_transport_options": options},
        )

    # -- what is heard

    def _note(self, event: Event) -> None:
        worker = next((each for each in self.workers if each.name == event.worker), None)
        if event.kind is Kind.WORKER_READY and isinstance(worker, FarWorker):
            worker.pid = worker.far.pid = event.pid
            worker.hostname = str(event.detail.get("hostname", ""))
        elif event.host and event.worker in self._killed:
            error_ns = self._intake.placing.offsets()[event.host].error_ns
            if event.at_ns - error_ns > self._killed[event.worker]:
                self._refuted[event.worker] = event.kind

    def advance(self) -> None:
        self._intake.check()
        super().advance()

    # -- workers

    def start_worker(
        self,
        name: str = "",
        *,
        wait: bool = True,
        clock_offset_s: float = 0.0,
        state_of: str = "",
        limits: Sequence[tuple[float, float]] = (),
        **changes: Any,
    ) -> Worker:
        name = name or f"w{next(self._numbers)}"
        self._started_with[name] = changes
        self._clocks[name] = clock_offset_s
        self.client  # noqa: B018 - it connects while the worker boots
        redirection = msgspec.structs.replace(
            self.redirection,
            broker_url=self._as_there(self.redirection.broker_url),
            result_backend=self._results_there or self._as_there(self.redirection.result_backend),
            clock_offset_s=clock_offset_s,
            databases={},
            limits=tuple(limits) or self.redirection.limits,
        )
        boot = self._boot("worker", name, redirection=redirection, folder="", log="", gate="", **changes)
        self._channel.give_boot(name, msgspec.json.encode(boot))
        called = f"{self._run}-{name}"
        worker = FarWorker(FarProcess(name, called, self._commands, self._listing), self.record)
        self.workers.append(worker)
        self.record(Kind.WORKER_SPAWNED, worker=name, clock_offset_s=clock_offset_s)
        self._commands.run(
            "start",
            called,
            recorder=Address(self._place, self._prefix, name).text(),
            concurrency=str(boot.concurrency),
            queues=",".join(boot.queues),
        )
        if wait:
            self.wait_ready(worker)
        return worker

    def _as_there(self, url: str) -> str:
        """The run's broker, as the workers reach it; what is not at the broker stays as it is."""
        there, ours = self._table.broker_there, urlsplit(self.broker.url(self.db))
        if not there or urlsplit(url).scheme != ours.scheme:
            return url
        # the run may have made virtual hosts of its own in a RabbitMQ; a database of a Redis is as it is given
        return urlunsplit(urlsplit(there)._replace(path=urlsplit(url).path)) if speaks_amqp(url) else there

    def wait_ready(self, worker: Worker, timeout_s: float = 0.0) -> Event:
        """Raises UsageError with what is wrong with the commands, where it never gets so far."""
        assert isinstance(worker, FarWorker)
        limit_s = timeout_s or self._commands.timeout_s
        mine = f"{worker.far.called} ({worker.name})"

        def ready() -> Any:
            if self._intake.troubles:
                raise UsageError(f"a recorder could not begin: {self._intake.troubles[0]}")
            event = next((e for e in self.seen if e.kind is Kind.WORKER_READY and e.worker == worker.name), None)
            return event or not worker.alive()

        event = self.wait(ready, timeout_s=limit_s)
        if event is True:
            said = any(event.worker == worker.name and event.host for event in self.seen)
            if said:
                raise HarnessError(f"{mine} has ended before it was ready")
            names = self._listing.fresh()
            shown = listed(sorted(names), SHOWN) if names else "nobody"
            raise self._commands.wrong(
                "start",
                f"exited with 0, and list does not name {mine}: it ended at once, or goes by another name (list names "
                f"{shown})",
            )
        if not event:
            heard = any(event.worker == worker.name and event.host for event in self.seen)
            raise self._commands.wrong(
                "start",
                f"has started {mine}, which is listed, and it was not ready after {limit_s:g} s"
                if heard
                else f"has started {mine}, which is listed, and its recorder sent nothing for {limit_s:g} s: is "
                "-I assay.recorder in its command, is ASSAY_RECORDER={recorder} in its environment, and does it reach "
                f"{self._channel.shown}?",
            )
        must_fit(event, mine, self.pool, self._needed)
        self._commands.done("start")
        return event  # type: ignore[no-any-return]

    def needs(self, tasks: Sequence[str]) -> None:
        """The queues of these are to be consumed."""
        self._needed = {queue: name for name in tasks if (queue := self.subject.task(name).queue)}

    def expect(self, task: str, script: Script | None = None) -> str:
        invocation = super().expect(task, script)
        if script is not None:
            self._channel.give_script(invocation, msgspec.json.encode(script))
        return invocation

    def aim(self, aims: Sequence[Aim]) -> None:
        super().aim(aims)
        self._channel.give_script(AIMS, msgspec.json.encode(list(aims)))

    def forget_invocation(self, invocation: str) -> None:
        super().forget_invocation(invocation)
        self._channel.forget(invocation)

    # -- faults

    @contextlib.contextmanager
    def standing_still(self, worker: Worker) -> Iterator[None]:
        """No command does that between two messages; so there is to be none on its way (`_at_rest`)."""
        yield

    def _at_rest(self) -> None:
        """kombu's Redis transport pops a message a moment before it is known to be somebody's: see landing.py.

        So each that was published is known to a worker; or it waits where nobody takes it, whose slots are all full.
        """
        if speaks_amqp(self.broker.name):
            return
        left, since = -1, 0.0

        def rests() -> bool:
            nonlocal left, since
            now, backlog = time.monotonic(), self.ledger.backlog()
            if not backlog:
                return True
            if backlog != left or not self.ledger.at_rest():
                left, since = backlog, now
            return now - since > STEADY_S

        if not self.wait(rests, timeout_s=AT_REST_S):
            raise HarnessError(f"messages were on their way to workers for {AT_REST_S:g} s")

    def kill_worker(
        self, worker: Worker, waiting: Waiting | None = None, *, group: bool = False, fault: str = ""
    ) -> None:
        """By the command. Landed when the list does not name it any more and nothing of it is heard, though what stood
        at a crash point in it was let go.
        """
        invocation = waiting.held.invocation if waiting else ""
        point = {"point": waiting.held.point} if waiting else {}
        self._at_rest()
        with self.striking(fault or "SIGKILL main", invocation, worker, signal="SIGKILL", **point):
            worker.kill()
            self._killed[worker.name] = time.monotonic_ns()
            if waiting:
                waiting.release()
            if self.wait(lambda: worker.name in self._refuted, timeout_s=AFTER_S):
                said = self._refuted[worker.name]
                raise self._commands.wrong(
                    "list", f"does not name {worker.name} after its kill, and it still says {said}"
                )

    def stop_worker(self, worker: Worker, number: signal.Signals, *, group: bool = False) -> None:
        """By `stop`. Returns when it says that it stops, or is gone."""
        assert isinstance(worker, FarWorker)
        worker.resume()
        self.advance()
        said = self._stopping(worker)
        worker.far.stop()
        ended = False

        def noticed() -> bool:
            nonlocal ended
            ended = worker.far.refused() or ended
            return self._stopping(worker) > said or not worker.alive()

        if not self.wait(noticed, timeout_s=NOTICES_S):
            raise self._commands.wrong("stop", f"was run, and {worker.far.called} has not said that it stops")
        if self._stopping(worker) == said:
            raise self._commands.wrong(
                "stop", f"ended {worker.far.called}, which never said that it stops: it is to send SIGTERM"
            )
        self._commands.done("stop")

    def pause_worker(self, worker: Worker, invocation: str = "") -> None:
        """By `pause`. Landed when it answers no ping any more, having answered one before."""
        assert isinstance(worker, FarWorker)
        with self.striking("SIGSTOP", invocation, worker, signal="SIGSTOP"):
            if not self._answers(worker):
                raise HarnessError(f"{worker.name} answered no ping before it was paused, so nothing would prove it")
            worker.far.pause()
            worker.paused = True
            if self._answers(worker):
                worker.resume()
                raise self._commands.wrong("pause", f"exited with 0, and {worker.far.called} still answers")
            self._commands.done("pause")

    def _answers(self, worker: FarWorker) -> bool:
        return bool(
            self.client.ask("control", command="ping", arguments={}, timeout_s=ANSWERS_S, destination=[worker.hostname])
        )

    # -- the end

    def offsets(self) -> dict[str, Offset]:
        """How far each machine's clock is from this one's, and how well that is known."""
        return self._intake.placing.offsets()

    def told(self) -> list[str]:
        """Sentences for the report."""
        machines = sorted(self.offsets())
        if not machines:
            return []
        return [f"workers ran on {listed(machines, SHOWN)}", clocks.told(self.offsets())]

    def doubts(self) -> list[str]:
        """Why what was seen cannot be trusted, if anything."""
        found = [f"{each} was killed and still recorded {kind} later" for each, kind in self._refuted.items()]
        return found + [f"not all that {each} has sent has arrived" for each in self._intake.placing.missing()]

    def close(self) -> None:
        """No worker of the run is left, and nothing of it in the channel. Raises HarnessError where one is."""
        left = self._end_workers()
        self._listing.close()
        try:
            self._intake.close()
        finally:
            super().close()
            self._channel.close()
        if left:
            raise HarnessError(f"{listed(left, SHOWN)} could not be ended: end them by hand")

    def _end_workers(self) -> list[str]:
        """What `list` may still name, whatever went wrong before: the names of those that could not be ended."""
        workers = [each for each in self.workers if isinstance(each, FarWorker)]
        for worker in workers:
            with contextlib.suppress(AssayError):
                worker.close()
        self.workers = []
        try:
            left = self._mine()
            for name in left:  # some of them may have been given up before
                with contextlib.suppress(AssayError):
                    FarProcess(name, name, self._commands, self._listing).kill()
            return self._mine() if left else []
        except AssayError:
            return [worker.far.called for worker in workers]

    def _mine(self) -> list[str]:
        return sorted(name for name in self._listing.fresh() if name.startswith(f"{self._run}-"))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """What went wrong first is told first."""
        try:
            self.close()
        except HarnessError as left:
            if isinstance(error, AssayError):
                raise type(error)(f"{error}; and {left}") from None
            raise
