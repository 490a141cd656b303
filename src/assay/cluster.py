"""Broker, workers and a client on one cluster folder, as one context manager: where a scenario acts.

with Cluster(zygote, broker, folder, db=0) as cluster:
    cluster.start_worker()
    invocation = cluster.publish("shop.charge", script=Script(holds=(Hold(Point.BODY_MIDDLE),)))
    cluster.kill_child_at(invocation, Point.BODY_MIDDLE)
    cluster.settle()
"""

import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import psutil

from assay.aims import Aim
from assay.aims import write as write_aims
from assay.black_hole import BlackHole
from assay.boot import Boot
from assay.broker import Broker, OwnBroker
from assay.brokers import speaks_amqp
from assay.errors import HarnessError, UsageError
from assay.event import Event, Kind, Point
from assay.gate import Gate, Waiting
from assay.landing import Landing
from assay.publishing import Publishing
from assay.recorder import Recorder
from assay.redirection import AMQP, Redirection
from assay.scaling import pool_check_s
from assay.settle import Ledger, final_read
from assay.slowed import Slowed
from assay.warm import Client, Zygote
from assay.worker import Worker

READY_S = 60.0  # that a worker may need: one that is started cold imports the app, on whatever else the machine does
HOLD_S = 20.0
SETTLE_S = 25.0
MOST_ORPHANED = 12  # workers whose clocks are ahead, to find what others had that are gone


class Cluster(Landing, Publishing):
    """One cluster of a run. `redirection` holds what the scenario scales; addresses are filled in here.

    `folder` gets `events/`, `scripts/`, `starts/` and the logs; files that need no keeping (databases) go to `scratch`.
    `keeps` says which events stay in `seen`; without it all do.
    """

    def __init__(
        self,
        zygote: Zygote,
        broker: Broker,
        folder: Path,
        scratch: Path,
        db: int,
        *,
        pool: str = "prefork",
        concurrency: int = 2,
        live: bool = False,
        recorded: bool = True,
        scaled: Redirection | None = None,
        start: Callable[[Boot], Any] | None = None,
        keeps: Callable[[Event], bool] | None = None,
        results: OwnBroker | None = None,
    ) -> None:
        self.zygote = zygote
        self.subject = zygote.subject
        self.broker = broker
        self.results = results  # a server for the results alone, which may be broken
        self.folder = folder
        self.db = db
        self.pool = pool
        self.concurrency = concurrency
        self.live = live
        self.recorded = recorded
        self._start = start or zygote.fork
        self._scratch = scratch / secrets.token_hex(4)
        for part in (folder / "events", folder / "scripts", folder / "starts", self._scratch):
            part.mkdir(parents=True)
        self.gate = Gate()
        self._recorder = Recorder(str(folder / "events"), "")
        self._listen_in(folder, keeps)
        self.workers: list[Worker] = []
        self._numbers = count(1)
        self._started_with: dict[str, dict[str, Any]] = {}
        self._clocks: dict[str, float] = {}  # worker -> how far kombu's clock is ahead there, seconds
        self.invocations: dict[str, str] = {}  # id -> task
        self.refused: dict[str, str] = {}  # id -> why it could not be published
        self.redirection = self._redirection(scaled)
        self._client: Client | None = None
        self.watched: list[psutil.Process] = []
        self.spoilt: list[BlackHole | Slowed] = []
        self.ledger = Ledger(self)

    def _redirection(self, scaled: Redirection | None) -> Redirection:
        backend = self.subject.result_backend
        own = backend in {"disabled", "rpc", "django-db"}
        scaled = scaled or Redirection(broker_url="")
        return msgspec.structs.replace(
            scaled,
            pool_check_s=pool_check_s(scaled.countdown_scale),
            broker_url=self.broker.url(self.db),
            result_backend="" if own else (self.results or self.broker).results_url(self.db + 1),
            broker_tls=dict(self.broker.tls),
            key_prefix=self.broker.key_prefix,
            foreign_transport=speaks_amqp(self.broker.name) and self.subject.broker_scheme not in AMQP,
            databases=self.zygote.databases(self._scratch),
            plain_calls=tuple(task.name for task in self.subject.tasks if task.left_out),
        )

    @property
    def key_prefix(self) -> str:
        """Of the broker's keys: the run's prefix, if any, then the app's own."""
        return self.broker.key_prefix + self.subject.global_keyprefix

    @property
    def beyond_visibility_s(self) -> float:
        """How far kombu's clock must be ahead in a worker that is to take over what a dead one had; 0: not at all."""
        return 0.0 if speaks_amqp(self.broker.name) else self.subject.beyond_visibility_s

    # -- acting

    @property
    def client(self) -> Client:
        if self._client is None:
            self._client = Client(self.zygote, self._boot("client", "client"))
        return self._client

    def _boot(self, role: Any, name: str, **changes: Any) -> Boot:
        return msgspec.structs.replace(
            Boot(
                role=role,
                folder=str(self.folder),
                log=str(self.folder / f"{name}.log"),
                name=name if role == "worker" else "",
                redirection=self.redirection,
                gate=self.gate.name,
                live=self.live,
                recorded=self.recorded,
                pool=self.pool,
                concurrency=self.concurrency,
            ),
            **changes,
        )

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
        """Start a worker; `changes` are fields of Boot (queues, concurrency, options...). Waits until it is ready.

        Where the app keeps the state of its workers in a file, each has one, or that of the worker `state_of`.
        `limits` are time limits in production and in this worker, where the scenario's own are not meant.
        """
        name = name or f"w{next(self._numbers)}"
        self._started_with[name] = changes
        self._clocks[name] = clock_offset_s
        self.client  # noqa: B018 - it connects while the worker boots
        settings = dict(self.redirection.settings)
        if (kept := self.subject.setting("worker_state_db")) and kept.value:
            settings["worker_state_db"] = str(self._scratch / f"{state_of or name}.state")
        redirection = msgspec.structs.replace(
            self.redirection,
            clock_offset_s=clock_offset_s,
            settings=settings,
            limits=tuple(limits) or self.redirection.limits,
        )
        process = self._start(self._boot("worker", name, redirection=redirection, **changes))
        worker = Worker(name, process, self.record)
        self.record(Kind.WORKER_SPAWNED, worker=name, pid=process.pid, clock_offset_s=clock_offset_s)
        self.workers.append(worker)
        if wait:
            self.wait_ready(worker)
        return worker

    def wait_ready(self, worker: Worker, timeout_s: float = READY_S) -> Event:
        """Its WORKER_READY event. Raises HarnessError with the worker's last words when it dies first.

        Where no fault was injected that is the app's doing, and no other scenario would fare better: UsageError.
        """
        try:
            return self.wait_event(
                lambda event: event.kind == Kind.WORKER_READY and event.worker == worker.name,
                what=f"worker {worker.name} ready",
                timeout_s=timeout_s,
                alive=[worker],
            )
        except HarnessError:
            if worker.alive() or any(event.kind == Kind.FAULT_INJECTED for event in self.seen):
                raise
            if worker.process.wait() < 0:
                raise  # somebody killed it
            said = worker.process.last_words()
            raise UsageError(f"a worker of {self.subject.app} does not start\n{said}") from None

    def aim(self, aims: Sequence[Aim]) -> None:
        """These starts of tasks hold, of invocations whose scripts are `counted`. Said before the first worker starts.

        The event of such a start tells which one it is (`nth`).
        """
        write_aims(self.folder, aims)

    def hold_at(self, invocation: str, point: Point, *, start: int | None = None, timeout_s: float = HOLD_S) -> Waiting:
        """Wait until an attempt of this invocation stands at the crash point."""

        def alive() -> None:
            self._watch()
            self._must_have_bodies(invocation)

        return self.gate.wait(invocation, point, timeout_s=timeout_s, start=start, alive=alive)

    def _must_have_bodies(self, invocation: str) -> None:
        """Raises HarnessError where an attempt failed before its body: no point in it will ever be reached."""
        self.advance()
        mine = [event for event in self.seen if event.invocation == invocation]
        begun = {event.attempt for event in mine if event.kind == Kind.BODY_ENTERED}
        if any(
            event.kind == Kind.ATTEMPT_ENDED and event.detail.get("state") == "FAILURE" and event.attempt not in begun
            for event in mine
        ):
            raise HarnessError(
                f"{self.invocations[invocation]} failed before its body began: where its base class needs arguments, "
                "give them in [live]"
            )

    def _watch(self) -> None:
        for worker in self.workers:
            worker.exited()

    # -- waiting

    def settle(self, timeout_s: float = SETTLE_S, *, enough: Callable[[], bool] = lambda: False) -> bool:
        """Wait until the broker is empty and no attempt is open, or the deadline; which of the two is recorded.

        `enough` ends the wait early, unsettled: a loop has shown itself, say.
        """
        still_open, quiet = self.ledger.settle(timeout_s, enough)
        if still_open:
            self.record(Kind.UNSETTLED, open=still_open, quiet=quiet)
        else:
            self.record(Kind.SETTLED)
        return not still_open

    def settle_but(self, *invocations: str, timeout_s: float = SETTLE_S) -> bool:
        """Wait until nothing is open but these, which stand at a crash point; nothing is recorded of it."""
        return bool(self.wait(lambda: self.ledger.rests(invocations), timeout_s=timeout_s))

    def replace(self, worker: Worker, **changes: Any) -> Worker:
        """Another one that is started as that one was, but for the changes."""
        return self.start_worker(**(self._started_with[worker.name] | changes))

    def takes_over_s(self, worker: Worker) -> float:
        """How far kombu's clock must be ahead for what this worker has to be past its visibility timeout."""
        return self._clocks[worker.name] + self.beyond_visibility_s

    def clocks_ahead(self) -> Iterator[float]:
        """How far it must be for what workers had that are gone, the least first.

        What a worker had whose own clock was ahead takes one that is further ahead, and so on, MOST_ORPHANED times.
        """
        tried: set[float] = set()
        while len(tried) < MOST_ORPHANED and (left := set(self._clocks.values()) - tried):
            tried.add(min(left))
            yield min(left) + self.beyond_visibility_s

    def dismiss(self, worker: Worker) -> None:
        """End one that the scenario needs no more, as all are ended with it."""
        worker.close()
        self.workers.remove(worker)

    def forget(self, worker: Worker) -> None:
        """Hold nothing of one that is gone, and told to be."""
        self.workers.remove(worker)
        self._follower.forget(worker.name)
        worker.process.close()

    def forget_invocation(self, invocation: str) -> None:
        """Hold nothing of one that is done: a long run has many. Should it be delivered again, its body returns."""
        self.invocations.pop(invocation, None)
        for folder in ("scripts", "starts"):
            (self.folder / folder / invocation).unlink(missing_ok=True)

    def forget_results(self, invocations: list[str]) -> None:
        """Take what these have returned out of a server of the run's own, which keeps it in memory."""
        if self.redirection.result_backend and isinstance(self.results or self.broker, OwnBroker):
            self.client.ask("forget", ids=invocations)

    def final_read(self) -> None:
        """Record what the broker holds, what the result backend says, and what is left running."""
        final_read(self)

    def record(self, kind: Kind, invocation: str = "", task: str = "", worker: str = "", **detail: Any) -> None:
        """An event of the harness itself. `pid` and `target` in the detail name other processes."""
        self._recorder.worker = worker
        self._recorder.record(kind, invocation, task or self.invocations.get(invocation, ""), **detail)

    # -- the end

    def close(self) -> None:
        for worker in self.workers:
            worker.close()
        for connections in self.spoilt:
            connections.end()  # or the broker would have their ends for ever, or hear of the dead later
        if self._client is not None:
            self._client.close()
        self.gate.close()
        self._bell.close()
        self._recorder.close()
        self.broker.flush(self.db)
        self.broker.flush(self.db + 1)
        shutil.rmtree(self._scratch, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
