"""A base class that lets no body run without an argument of its own, as that of a multi-tenant app does; and a hook."""

from typing import Any

from celery import Celery, Task


class OfEvent(Task):
    acks_late = True
    reject_on_worker_lost = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if "event" not in kwargs:
            raise ValueError("an event is wanted")
        return super().__call__(*args, **kwargs)


app = Celery("wants_event", task_cls=OfEvent, broker="redis://localhost/0", backend="redis://localhost/1")


class Shut(Task):
    def before_start(self, *args: Any) -> None:
        raise RuntimeError("the shop is shut")


shut = Celery("shut", task_cls=Shut, broker="redis://localhost/0", backend="redis://localhost/1")


@shut.task(shared=False)
def sell() -> None:
    raise NotImplementedError("a run replaces the body")


@app.task(shared=False)
def refund(*, event: int) -> None:
    raise NotImplementedError("a run replaces the body")
