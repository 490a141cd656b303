"""The places in Celery, kombu and billiard that the recorder is put into: they are there, and take what they are given.

Run with each release of tests/constraints/; that their events mean what they say is for the chaos tests.
"""

import inspect
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import celery.signals
import pytest
from celery import Celery, Task
from celery.canvas import Signature
from celery.concurrency.asynpool import AsynPool
from celery.utils.dispatch import Signal
from kombu.transport.redis import Channel, QoS

from assay import instrument
from assay.event import Kind
from assay.history import History
from assay.instrument import callbacks, wrapping
from assay.instrument.errbacks import record_errbacks
from assay.instrument.hooks import HOOKS, record_hooks
from assay.instrument.pool import record_pool
from assay.instrument.restoring import record_restoring
from assay.instrument.results import record_results
from assay.recorder import Recorder

#: every wrapped method, with the arguments that its wrapper hands on
PLACES = {
    "kombu.transport.virtual.base.Transport._deliver": 2,
    "kombu.messaging.Consumer._receive_callback": 1,
    "kombu.message.Message.ack": 0,
    "kombu.message.Message.reject": 0,
    "kombu.message.Message.requeue": 0,
    "celery.worker.request.Request.on_accepted": 2,
    "celery.worker.request.Request.on_failure": 1,
    "celery.worker.request.Request.on_timeout": 2,
    "billiard.pool.Pool.mark_as_worker_lost": 2,
    "billiard.pool.TimeoutHandler.on_hard_timeout": 1,
    "celery.concurrency.asynpool.AsynPool.on_job_process_down": 2,
    "celery.worker.worker.WorkController.reload": 0,
    "celery.worker.consumer.consumer.Blueprint.start": 1,
    "celery.worker.consumer.consumer.Consumer.on_close": 0,
    "celery.worker.consumer.consumer.Consumer.start": 0,
    "celery.worker.consumer.consumer.Consumer.stop": 0,
    "celery.worker.consumer.consumer.Evloop.start": 1,
    "celery.worker.consumer.mingle.Mingle.send_hello": 1,
    "kombu.transport.redis.Channel._do_restore_message": 4,
    "kombu.transport.redis.QoS.restore_visible": 0,
    "kombu.transport.redis.QoS.restore_by_tag": 2,
    "kombu.transport.redis.QoS.restore_unacked": 0,
    "celery.canvas.Signature.__call__": 0,
    "celery.backends.base.DisabledBackend.store_result": 3,
}
NEWER = {"celery.worker.worker.WorkController.wait_for_soft_shutdown": 0}  # Celery 5.5


def charge() -> None:
    """A task's body."""


class Job(SimpleNamespace):
    """billiard's ApplyResult, as far as it is looked at."""

    def __init__(self, *, accepted: bool, written_to: bool | None) -> None:
        writer = None if written_to is None else SimpleNamespace(_is_alive=lambda: written_to, dead=True)
        super().__init__(
            _accepted=accepted,
            _write_to=writer,
            _scheduled_for=None,
            _terminated=None,
            _writer=lambda: None,
            correlation_id="an-id",
        )


def test_every_place_is_in_this_release_and_takes_what_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: dict[str, int] = {}
    hooks: dict[str, int] = {}
    signals: set[str] = set()
    expected = PLACES | {place: count for place, count in NEWER.items() if celery.VERSION >= (5, 5)}

    def note(owner: Any, name: str, make: Any) -> None:
        if isinstance(owner, Task):
            if owner.name == "shop.charge":
                hooks[name] = list(inspect.signature(getattr(owner, name)).parameters).index("task_id")
            return
        place = f"{owner.__module__}.{owner.__qualname__.rpartition('.')[2]}.{name}"
        arguments = expected.get(place, 0)
        inspect.signature(getattr(owner, name)).bind(None, *[None] * arguments)
        found[place] = arguments

    monkeypatch.setattr(wrapping, "wrap", note)
    monkeypatch.setattr(Signal, "connect", lambda self, *_, **__: signals.add(self.name))
    app = Celery("shop", set_as_current=False)
    app.task(charge, name="shop.charge", shared=False)
    app.finalize(auto=False)
    instrument.install(app, Recorder(str(tmp_path), "w1"))
    assert found == expected
    assert hooks == HOOKS
    assert {"task_prerun", "task_postrun", "worker_ready", "worker_process_shutdown"} <= signals


@pytest.mark.parametrize(
    ("job", "told"),
    [
        (Job(accepted=False, written_to=False), True),
        (Job(accepted=True, written_to=False), False),  # mark_as_worker_lost tells that
        (Job(accepted=False, written_to=True), False),
        (Job(accepted=False, written_to=None), False),  # it was only scheduled: that child never saw it
    ],
    ids=["written and not accepted", "accepted", "written to one that lives", "not written"],
)
def test_a_job_that_the_pool_hands_on_to_another_child_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, job: Job, told: bool
) -> None:
    for owner, name in ((AsynPool, "on_job_process_down"), (AsynPool, "on_partial_read")):
        monkeypatch.setattr(owner, name, getattr(owner, name))
    monkeypatch.setattr(wrapping, "wrap", _only("on_job_process_down"))
    (tmp_path / "events").mkdir()
    record_pool(Recorder(f"{tmp_path}/events", "w1"))
    put_back: list[Any] = []
    pool = AsynPool.__new__(AsynPool)
    pool._put_back, pool._active_writers = put_back.append, set()
    pool.on_job_process_down(job, 4711)
    assert [(event.kind, event.invocation, event.detail) for event in History(tmp_path)] == (
        [(Kind.CHILD_LOST, "an-id", {"child": 4711, "handed_on": True})] if told else []
    )
    assert put_back == ([job] if told else []), "what Celery itself does with it"


def test_an_errback_that_is_called_in_the_process_of_a_failure_is_an_attempt_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Signature, "__call__", Signature.__call__)
    (tmp_path / "events").mkdir()
    recorder = Recorder(f"{tmp_path}/events", "w1")
    recorder.begin("failing")
    (tmp_path / "starts").mkdir()
    (tmp_path / "starts" / "errback").touch()
    recorder.is_scripted = lambda invocation: invocation == "errback"
    record_errbacks(recorder)
    app = Celery("shop", set_as_current=False)
    called: list[str] = []

    @app.task(name="shop.tell", shared=False)
    def tell(request: Any = None, error: Any = None, traceback: Any = None) -> None:
        called.append(recorder.called)

    @app.task(name="shop.fails", shared=False)
    def fails() -> None:
        raise ValueError("planned")

    tell.si().set(task_id="errback")()
    with pytest.raises(ValueError, match="planned"):
        fails.si().set(task_id="errback")()
    tell.si().set(task_id="of the app's own")()
    told = [
        (each.kind, each.invocation, each.detail.get("in_process", each.detail.get("state")))
        for each in History(tmp_path)
    ]

    assert called == ["errback", ""]
    assert told == [
        (Kind.ATTEMPT_STARTED, "errback", True),
        (Kind.ATTEMPT_ENDED, "errback", "SUCCESS"),
        (Kind.ATTEMPT_STARTED, "errback", True),
        (Kind.ATTEMPT_ENDED, "errback", "FAILURE"),
    ]
    assert (recorder.invocation, recorder.start, recorder.called) == ("failing", 0, ""), "the failing one goes on"


def _only(wanted: str) -> Any:
    real = wrapping.wrap

    def wrap(owner: Any, name: str, make: Any) -> None:
        if name == wanted:
            real(owner, name, make)

    return wrap


def recorded(tmp_path: Path) -> list[tuple[str, str, dict[str, Any]]]:
    return [(event.kind, event.invocation, event.detail) for event in History(tmp_path)]


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    (tmp_path / "events").mkdir()
    return Recorder(f"{tmp_path}/events", "w1")


def test_a_hook_is_told_by_the_invocations_id_and_called_as_it_was(tmp_path: Path, recorder: Recorder) -> None:
    heard: list[Any] = []

    class Base(Task):
        def on_success(self, retval: Any, task_id: str, args: Any, kwargs: Any) -> None:
            heard.append((retval, task_id, args, kwargs))

    app = Celery("shop", set_as_current=False, task_cls=Base)
    app.task(charge, name="shop.charge", shared=False)
    record_hooks(app, recorder)
    app.tasks["shop.charge"].on_success(7, "an-id", (), {})
    app.tasks["shop.charge"].after_return("SUCCESS", 7, "an-id", (), {}, None)
    assert heard == [(7, "an-id", (), {})]
    assert recorded(tmp_path) == [(Kind.HOOK, "an-id", {"name": name}) for name in ("on_success", "after_return")]


def test_each_try_that_the_backend_refuses_is_told_and_then_that_it_gave_up(tmp_path: Path, recorder: Recorder) -> None:
    class Backend:
        left = 2

        def store_result(self, task_id: str, result: Any, state: str) -> str:
            try:
                return self._store_result(task_id, result, state)
            except OSError:
                return self._store_result(task_id, result, state)

        def _store_result(self, task_id: str, result: Any, state: str) -> str:
            if self.left:
                self.left -= 1
                raise OSError("gone")
            return "stored"

    record_results(Backend, recorder)
    backend = Backend()
    with pytest.raises(OSError, match="gone"):
        backend.store_result("an-id", 7, "SUCCESS")
    backend.left = 1
    assert backend.store_result("an-id", 7, "SUCCESS") == "stored"
    failed = {"state": "SUCCESS", "error": "OSError: gone"}
    kinds = [Kind.RESULT_REFUSED, Kind.RESULT_REFUSED, Kind.RESULT_FAILED, Kind.RESULT_REFUSED, Kind.RESULT_STORED]
    assert [(kind, detail) for kind, _, detail in recorded(tmp_path)] == [
        (kind, {"state": "SUCCESS"} if kind is Kind.RESULT_STORED else failed) for kind in kinds
    ]


def test_what_is_linked_is_told_by_the_id_of_what_it_is_linked_to(tmp_path: Path, recorder: Recorder) -> None:
    app = Celery("shop", set_as_current=False, backend="cache+memory://")
    callbacks.register(app, recorder)
    app.tasks["assay.link"].push_request(parent_id="an-id")
    app.tasks["assay.link"].run("a result")
    request = SimpleNamespace(id="an-id", errbacks=[{"task": "assay.link_error", "args": [], "kwargs": {}}])
    app.backend._call_task_errbacks(request, ValueError(), None)
    assert recorded(tmp_path) == [(Kind.HOOK, "an-id", {"name": name}) for name in ("link", "link_error")]


class Unacked:
    """A Redis that has some messages unacknowledged, as far as kombu's own way to give them back asks it."""

    def __init__(self, *tags: str) -> None:
        self._tags = tags

    def hget(self, key: str, tag: str | bytes) -> str | None:
        name = tag.decode() if isinstance(tag, bytes) else tag
        return '[{"headers": {}}, "", "q"]' if name in self._tags else None

    def transaction(self, work: Callable[[Any], None], key: str) -> None:
        work(self)

    def __getattr__(self, name: str) -> Callable[..., "Unacked"]:
        return lambda *_, **__: self


@pytest.fixture
def qos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> QoS:
    """kombu's own, instrumented, whose broker has the message of tag t-1 alone."""
    monkeypatch.setattr(Channel, "_do_restore_message", lambda self, *_: None)
    monkeypatch.setattr(Channel, "conn_or_acquire", lambda self, client=None: nullcontext(Unacked("t-1")))
    for name in ("restore_by_tag", "restore_unacked"):
        monkeypatch.setattr(QoS, name, getattr(QoS, name))  # so that they are put back as they were
    monkeypatch.setattr(QoS, "restore_visible", lambda self: [self.restore_by_tag(b"t-1"), self.restore_by_tag(b"t-2")])
    (tmp_path / "events").mkdir()
    record_restoring(Recorder(f"{tmp_path}/events", "w1"))
    made = QoS.__new__(QoS)
    made.channel = Channel.__new__(Channel)
    made._delivered = {f"t-{n}": SimpleNamespace(headers={"id": f"id-{n}", "task": "shop.charge"}) for n in (1, 2)}
    return made


def test_what_kombu_gives_back_is_told_by_the_tags_that_its_deliveries_had(tmp_path: Path, qos: QoS) -> None:
    qos.restore_visible()
    assert [event.detail["tags"] for event in History(tmp_path)] == [["t-1"]], "another worker was faster with t-2"


def test_what_a_worker_gives_back_at_its_end_is_told_and_not_what_was_gone_by_then(tmp_path: Path, qos: QoS) -> None:
    qos.restore_unacked()
    assert [(event.kind, event.invocation, event.task) for event in History(tmp_path)] == [
        (Kind.GIVEN_BACK, "id-1", "shop.charge")
    ]
