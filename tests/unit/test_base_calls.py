"""A base class may let no body run that is called as in a run; what the next one sees is Celery's own call."""

import json
from pathlib import Path
from typing import Any

import pytest
from celery import Celery, Task
from celery.app.trace import build_tracer

from assay import base_calls
from assay.boot import BASE_CALLS
from assay.subject import LeftOut
from assay.subject import Task as Described


class Wants(Task):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if "event" not in kwargs:
            raise ValueError("an event is wanted")
        return super().__call__(*args, **kwargs)


class InContext(Task):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        assert self.request.id
        assert not self.request.called_directly
        return super().__call__(*args, **kwargs)


class Never(Task):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return None


class Swallows(Task):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().__call__(*args, **kwargs)
        except BaseException:
            return None


class Leaves(Task):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise SystemExit(3)


def app_of(base: type[Task], **options: Any) -> Celery:
    app = Celery("shop", broker="memory://", set_as_current=False)

    @app.task(name="shop.pay", base=base, shared=False, **options)
    def pay(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("the real body was run")

    return app


def asked(tmp_path: Path, app: Celery, **kwargs: Any) -> Any:
    base_calls.ask(app, {"shop.pay": {"args": [], "kwargs": kwargs}}, tmp_path)
    return json.loads((tmp_path / BASE_CALLS).read_text()).get("shop.pay")


@pytest.mark.parametrize(
    ("base", "why"),
    [(Wants, "ValueError: an event is wanted"), (Never, "it does not call it"), (Leaves, "SystemExit: 3")],
)
@pytest.mark.parametrize("options", [{}, {"autoretry_for": (ValueError,)}], ids=["plain", "autoretry"])
def test_given_one_that_lets_no_body_begin_then_it_is_named_with_the_reason(
    tmp_path: Path, base: type[Task], why: str, options: dict[str, Any]
) -> None:
    assert asked(tmp_path, app_of(base, **options)) == {"by": f"{__name__}.{base.__name__}", "why": why}


@pytest.mark.parametrize("base", [InContext, Swallows])
@pytest.mark.parametrize("options", [{}, {"autoretry_for": (ValueError,)}], ids=["plain", "autoretry"])
def test_given_one_whose_body_begins_then_it_stays(tmp_path: Path, base: type[Task], options: dict[str, Any]) -> None:
    assert asked(tmp_path, app_of(base, **options)) is None


def test_given_the_arguments_that_it_wants_then_it_stays(tmp_path: Path) -> None:
    assert asked(tmp_path, app_of(Wants), event=7) is None


def test_left_out_the_body_is_called_with_the_request_of_its_message() -> None:
    app = Celery("shop", broker="memory://", set_as_current=False)

    @app.task(name="shop.pay", base=Wants, bind=True, shared=False)
    def pay(self: Task, number: int) -> tuple[str, int]:
        return self.request.id, number

    task = app.tasks["shop.pay"]
    base_calls.leave_out(task)
    assert build_tracer(task.name, task, app=app)("an-id", (3,), {}, {"id": "an-id"})[0] == ("an-id", 3)


def test_why_it_is_left_out_parts_no_profile() -> None:
    def profile(why: str) -> str:
        left_out = LeftOut("shop.Wants", why) if why else None
        return Described(
            name="a",
            queue="q",
            acks_late=True,
            reject_on_worker_lost=True,
            max_retries=3,
            default_retry_delay=1.0,
            soft_time_limit=None,
            time_limit=None,
            ignore_result=False,
            left_out=left_out,
        ).profile()

    assert profile("KeyError: 'event'") == profile("KeyError: 'order'") != profile("")
