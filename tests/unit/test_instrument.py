"""The places in Celery, kombu and billiard that the recorder is put into: they are there, and take what they are given.

Run with each release of tests/constraints/; that their events mean what they say is for the chaos tests.
"""

import inspect
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import celery.signals
import pytest
from celery import Celery
from celery.canvas import Signature
from celery.concurrency.asynpool import AsynPool
from celery.utils.dispatch import Signal

from assay import instrument
from assay.event import Kind
from assay.history import History
from assay.instrument import wrapping
from assay.instrument.errbacks import record_errbacks
from assay.instrument.pool import record_pool
from assay.recorder import Recorder

#: every wrapped method, with the arguments that its wrapper hands on
PLACES = {
    "kombu.transport.virtual.base.Transport._deliver": 2,
    "kombu.messaging.Consumer._receive_callback": 1,
    "kombu.message.Message.ack": 0,
    "kombu.message.Message.reject": 0,
    "kombu.message.Message.requeue": 0,
    "celery.worker.request.Request.on_accepted": 2,
    "celery.worker.request.Request.on_timeout": 2,
    "billiard.pool.Pool.mark_as_worker_lost": 2,
    "celery.concurrency.asynpool.AsynPool.on_job_process_down": 2,
    "celery.worker.worker.WorkController.reload": 0,
    "celery.worker.consumer.consumer.Blueprint.start": 1,
    "celery.worker.consumer.consumer.Consumer.on_close": 0,
    "celery.worker.consumer.consumer.Consumer.start": 0,
    "celery.worker.consumer.consumer.Evloop.start": 1,
    "kombu.transport.redis.QoS.restore_visible": 0,
    "kombu.transport.redis.QoS.restore_by_tag": 2,
    "celery.canvas.Signature.__call__": 0,
    "celery.backends.base.DisabledBackend.store_result": 3,
}
NEWER = {"celery.worker.worker.WorkController.wait_for_soft_shutdown": 0}  # Celery 5.5


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
    signals: set[str] = set()
    expected = PLACES | {place: count for place, count in NEWER.items() if celery.VERSION >= (5, 5)}

    def note(owner: type, name: str, make: Any) -> None:
        place = f"{owner.__module__}.{owner.__qualname__.rpartition('.')[2]}.{name}"
        arguments = expected.get(place, 0)
        inspect.signature(getattr(owner, name)).bind(None, *[None] * arguments)
        found[place] = arguments

    monkeypatch.setattr(wrapping, "wrap", note)
    monkeypatch.setattr(Signal, "connect", lambda self, *_, **__: signals.add(self.name))
    app = Celery("shop", set_as_current=False)
    app.finalize(auto=False)
    instrument.install(app, Recorder(str(tmp_path), "w1"))
    assert found == expected
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
