"""How faults land on a cluster: each is recorded as injected, acts, and is recorded as landed when that is proved.

`Landing` is the part of a cluster that does so; what it acts on is in cluster.py.
"""

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil

from assay.black_hole import BlackHole
from assay.broker import Broker, OwnBroker
from assay.connections import How, peers, sever, unanswered
from assay.errors import HarnessError
from assay.event import Kind
from assay.fault import BROKER_KEPT, BROKER_KILLED_UNREAD, IN_CHILD
from assay.gate import Waiting
from assay.listening import Listening
from assay.redirection import Redirection
from assay.settle import runs
from assay.slowed import Slowed
from assay.standing_still import StandingStill
from assay.warm import Client
from assay.worker import Worker, kill_child

BLACK_HOLE, SLOWED = "black hole", "connection slowed"
UNREAD_S, UNCONFIRMED_S = 5.0, 0.3  # the latter: for a publisher that asks for no answer to return
SLOW_BYTES = 50_000  # a second; a packet may have 64 KiB here, and the next one waits until it would be through
SLOWEST_S = 10.0
ASKS_S, SILENT_S = 1.5, 15.0  # a worker with a free slot asks for a message each second
NOTICES_S = 6.0
NOTICES_SIGNAL_S = 10.0


class Landing(Listening):
    """A base of the cluster, which has all that is named here."""

    broker: Broker
    spoilt: list[BlackHole | Slowed]
    pool: str
    redirection: Redirection
    watched: list[psutil.Process]
    workers: list[Worker]
    record: Callable[..., None]

    @contextlib.contextmanager
    def striking(
        self, fault: str, invocation: str = "", worker: Worker | str = "", **detail: Any
    ) -> Iterator[dict[str, Any]]:
        """Around what a fault does: it has landed where that raises no HarnessError.

        The target is the worker, if no other is told. What is put into the dictionary is told of the one that landed.
        """
        told: dict[str, Any] = {"fault": fault, "worker": worker}
        if isinstance(worker, Worker):
            told |= {"worker": worker.name, "target": worker.pid}
        told |= detail
        self.record(Kind.FAULT_INJECTED, invocation, **told)
        proof: dict[str, Any] = {}
        yield proof
        self.record(Kind.FAULT_LANDED, invocation, **told, **proof)

    def healed(self, fault: str, worker: Worker) -> None:
        self.record(Kind.FAULT_HEALED, worker=worker.name, fault=fault, target=worker.pid)

    @property
    def client(self) -> Client:
        """The cluster's client process."""
        raise NotImplementedError

    def serving(self) -> list[Worker]:
        """Workers that are ready and were not told to stop."""
        self.advance()
        ready = {event.worker for event in self.seen if event.kind == Kind.WORKER_READY}
        return [each for each in self.workers if each.name in ready and each.alive() and not self._stopping(each)]

    def must_serve(self) -> list[Worker]:
        """The same; raises HarnessError where there are none."""
        if not (serving := self.serving()):
            raise HarnessError("no worker was serving")
        return serving

    def kill_child(self, waiting: Waiting) -> None:
        """SIGKILL the process that stands at a crash point, and prove it."""
        self._kill_child(waiting.pid, waiting.held.invocation, waiting.held.worker, point=waiting.held.point)
        waiting.release()

    def kill_pid(self, pid: int, invocation: str) -> None:
        """SIGKILL a pool child while it works on this invocation, and prove it."""
        self._kill_child(pid, invocation, next((event.worker for event in self.seen if event.pid == pid), ""))

    def _kill_child(self, pid: int, invocation: str, worker: str, **point: Any) -> None:
        with self.striking("SIGKILL child", invocation, worker=worker, target=pid, signal="SIGKILL", **point):
            kill_child(pid)

    def watch_descendants(self, pid: int) -> None:
        """Remember what this process has started: whatever of it still runs at the end is left behind."""
        self.watched += psutil.Process(pid).children(recursive=True)

    def kill_worker(
        self, worker: Worker, waiting: Waiting | None = None, *, group: bool = False, fault: str = ""
    ) -> None:
        """SIGKILL the main process, or its whole group, and prove it. `fault` is what it is the end of, if anything."""
        fault = fault or ("SIGKILL group" if group else "SIGKILL main")
        invocation = waiting.held.invocation if waiting else ""
        point = {"point": waiting.held.point} if waiting else {}
        held_itself = waiting is not None and waiting.pid == worker.pid
        if waiting and self.pool == "threads":
            held_itself = waiting.held.point not in IN_CHILD  # there it is one thread of several
        with self.striking(fault, invocation, worker, signal="SIGKILL", **point):
            with contextlib.nullcontext() if held_itself else self.standing_still(worker):
                worker.kill_group() if group else worker.kill()
        if waiting:
            waiting.release()

    def signal_worker(
        self, worker: Worker, number: signal.Signals, invocation: str = "", *, group: bool = False, fault: str = ""
    ) -> None:
        """A signal to the main process, or to its whole group; landed when the worker says (once more) that it is
        stopping, or has exited. `fault` is what it is a part of, if anything.
        """
        fault = fault or (f"{number.name} group" if group else number.name)
        with self.striking(fault, invocation, worker, signal=number.name):
            self.stop_worker(worker, number, group=group)

    def stop_worker(self, worker: Worker, number: signal.Signals, *, group: bool = False) -> None:
        """Ask it to stop, without saying that this is a fault; returns when it says that it does, or has exited.

        Celery's handler says so each time: celery/apps/worker.py, _shutdown_handler.
        """
        worker.resume()  # it may be that another fault has it standing still: then it would hear nothing
        self.advance()
        said = self._stopping(worker)
        worker.process.send_group(number) if group else worker.send(number)
        if not self.wait(lambda: self._stopping(worker) > said or not worker.alive(), timeout_s=NOTICES_SIGNAL_S):
            raise HarnessError(f"{worker.name} did not notice {number.name} within {NOTICES_SIGNAL_S:g} s")

    def _stopping(self, worker: Worker) -> int:
        """How often it has said that it stops."""
        return sum(event.kind == Kind.WORKER_STOPPING and event.worker == worker.name for event in self.seen)

    def break_connections(self, worker: Worker, how: How, invocation: str = "") -> None:
        """Cut or reset every connection of a worker's main process to the broker; landed when none of them is left."""
        with self.striking(f"connection {how}", invocation, worker, signal=how) as proof:
            worker.must_live()
            with self.standing_still(worker):  # all of them at the same instant, and none that is just made is missed
                proof["struck_ns"] = time.monotonic_ns()
                broken = sever(worker.pid, peers(self.redirection.broker_url), how)
            if not broken:
                raise HarnessError(f"worker {worker.name} has no TCP connection to the broker that could be broken")
            proof["connections"] = len(broken)

    def swallow(self, worker: Worker, invocation: str = "") -> Callable[[], None]:
        """A black hole: nothing more arrives on its connections to the broker, in either direction, and nobody is told.

        Landed when one side has sent what the other does not acknowledge. Returns what ends it.
        """
        ends, server = peers(self.redirection.broker_url), self._own_server()
        with self.striking(BLACK_HOLE, invocation, worker, signal="drop") as proof:
            worker.must_live()
            with self.standing_still(worker):
                proof["struck_ns"] = time.monotonic_ns()
                hole = BlackHole(worker.pid, ends, server)
                self.spoilt.append(hole)
            if not hole.connections:
                raise HarnessError(f"worker {worker.name} has no TCP connection to the broker that could be broken")
            if not self.wait(hole.undelivered, timeout_s=ASKS_S):
                self._call_nobody()
            if not self.wait(hole.undelivered, timeout_s=SILENT_S):
                hole.heal()
                raise HarnessError(f"nobody sent anything on the connections for {SILENT_S:g} s")

        def ended() -> None:
            self.spoilt.remove(hole)
            hole.heal()
            self.healed(BLACK_HOLE, worker)

        return ended

    def slow_down(self, worker: Worker, invocation: str = "") -> Callable[[], None]:
        """Its connections to the broker carry SLOW_BYTES a second; landed when each has that rate at both ends.

        Returns what ends it: what is under way has arrived then. Those that are made meanwhile are as fast as ever.
        """
        ends, server = peers(self.redirection.broker_url), self._own_server()
        with self.striking(SLOWED, invocation, worker, signal="pace"):
            worker.must_live()
            with self.standing_still(worker):
                slowed = Slowed(worker.pid, ends, server, SLOW_BYTES)
                self.spoilt.append(slowed)
                if not slowed.connections or slowed.paced() != 2 * len(slowed.connections):
                    slowed.heal()
                    raise HarnessError(f"not all of worker {worker.name}'s connections to the broker could be slowed")

        def ended() -> None:
            slowed.heal()
            # or the next fault on this worker could land while an answer of the broker's waits for its turn
            if not self.wait(lambda: not slowed.undelivered(), timeout_s=SLOWEST_S):
                raise HarnessError(f"what was sent at {SLOW_BYTES} bytes a second did not arrive in {SLOWEST_S:g} s")
            self.spoilt.remove(slowed)
            self.healed(SLOWED, worker)

        return ended

    def _own_broker(self, therefore: str) -> OwnBroker:
        if not isinstance(self.broker, OwnBroker):
            raise HarnessError(f"the broker is not the run's own: {therefore}")
        return self.broker

    def _own_server(self) -> int:
        therefore = "its end of a connection cannot be reached"
        pid = self._own_broker(therefore).pid
        if pid is None:
            raise HarnessError(f"the broker has no process: {therefore}")
        return pid

    def _call_nobody(self) -> None:
        """The broker sends each worker a word of remote control, which is for none of them.

        One whose slots are full asks the broker for nothing for up to 10 s (kombu's look for messages to restore).
        """
        self.client.ask("control", command="ping", arguments={}, timeout_s=0.0, destination=["nobody@assay"])

    def restart_broker(
        self, invocation: str = "", *, fault: str = "broker restarted", with_data: bool | None = None
    ) -> None:
        """Kill the broker and start it again at the same address; landed when the new one serves.

        It comes back as people run it, if nothing is said: a Redis empty, a RabbitMQ with what is durable.
        """
        broker = self._own_broker("it cannot be restarted")
        with self.striking(fault, invocation, target=broker.pid, signal="restart"):
            broker.restart(with_data=broker.durable if with_data is None else with_data)

    def restart_broker_with_data(self, worker: Worker, invocation: str = "") -> None:
        """Kill the broker; it comes back with its data when the worker has given its connection up.

        Landed when the new one serves, which it does whatever happens. The worker is not made to stand still: it waits
        for a message as ever, and whoever demands something of a message must know that none is on its way.
        """
        broker = self._own_broker("it cannot be restarted")
        broker.keep_data()
        with self.striking(BROKER_KEPT, invocation, target=broker.pid, signal="restart") as proof:
            worker.must_live()
            try:
                broker.pause()  # a RabbitMQ writes before what it has confirmed
                proof["struck_ns"] = time.monotonic_ns()
                broker.kill()
            except BaseException:
                broker.resume()
                raise
            try:
                self.wait_noticed(worker)
            finally:
                broker.restart(with_data=True)

    def kill_broker_unread(self, publish: Callable[[], str]) -> str:
        """Kill the broker when it has been sent what `publish` publishes, and has not read it; landed if it was so.

        It comes back with its data. Returns the invocation; whether its publisher was told is in `refused`.
        """
        broker = self._own_broker("it cannot be restarted")
        ends, client = peers(self.redirection.broker_url), self.client.process.pid
        target: dict[str, Any] = {"fault": BROKER_KILLED_UNREAD, "target": broker.pid, "signal": "SIGKILL"}
        try:
            broker.pause()
        except BaseException:
            broker.resume()
            raise
        with ThreadPoolExecutor(1, thread_name_prefix="assay-publisher") as executor:
            try:
                publishing = executor.submit(publish)
                self.wait(lambda: unanswered(ends, client) > 0, timeout_s=UNREAD_S)
                futures.wait([publishing], timeout=UNCONFIRMED_S)  # one that asks for no answer has returned by then
                self.record(Kind.FAULT_INJECTED, **target)
                arrived = unanswered(ends, client) > 0
            finally:
                broker.restart(with_data=True)
            if arrived:
                self.record(Kind.FAULT_LANDED, **target)
            return publishing.result()

    def wait_noticed(self, worker: Worker, timeout_s: float = NOTICES_S) -> bool:
        """Wait until it has given up its lost connection, or stops; whether it has.

        One that never does is for a checker to find.
        """
        self.advance()
        injected_ns = max(event.at_ns for event in self.seen if event.kind == Kind.FAULT_INJECTED)

        def noticed() -> bool:
            mine = [event for event in self.seen if event.worker == worker.name and event.at_ns > injected_ns]
            return not worker.alive() or any(
                event.kind in (Kind.CONNECTION_CLOSED, Kind.CONSUMER_ENDED, Kind.WORKER_STOPPING) for event in mine
            )

        return bool(self.wait(noticed, timeout_s=timeout_s))

    def pause_worker(self, worker: Worker, invocation: str = "") -> None:
        """SIGSTOP to the main process; landed when it has stopped."""
        with self.striking("SIGSTOP", invocation, worker, signal="SIGSTOP"):
            worker.pause()

    def resume_worker(self, worker: Worker) -> None:
        worker.resume()
        self.healed("SIGSTOP", worker)

    def standing_still(self, worker: Worker) -> contextlib.AbstractContextManager[None]:
        """Its main process is stopped meanwhile, with no message on its way into it. HarnessError if it never is so."""
        return StandingStill(self.broker, self.redirection.broker_url, self.pool, self.stops, self.wait).of(worker)

    @contextlib.contextmanager
    def all_standing_still(self) -> Iterator[None]:
        """Every worker that serves, so that the broker takes no message with it that is on its way to one of them."""
        with contextlib.ExitStack() as still:
            for each in self.serving():
                still.enter_context(self.standing_still(each))
            yield

    def stops(self, worker: Worker) -> bool:
        """Whether it has said that it stops."""
        self.advance()
        return bool(self._stopping(worker))

    def record_landed_deaths(self, invocation: str, fault: str) -> None:
        """Faults that the body inflicted on its own process: landed where the process of its attempt is gone."""
        self.advance()
        for event in [event for event in self.seen if event.invocation == invocation]:
            if event.kind == Kind.ATTEMPT_STARTED and not runs(event.pid):
                with self.striking(fault, invocation, worker=event.worker, target=event.pid, signal="exit"):
                    pass  # it was the body itself
