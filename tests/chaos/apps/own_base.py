"""A Task base class of the team's own, with retries, hooks and its own Request; settings in a class."""

from typing import Any

from celery import Celery, Task
from celery.worker.request import Request

SEEN: list[str] = []


class Counted(Request):
    def on_success(self, failed__retval__runtime: Any, **kwargs: Any) -> Any:
        SEEN.append(self.id)
        return super().on_success(failed__retval__runtime, **kwargs)


class Reliable(Task):
    Request = Counted
    acks_late = True
    reject_on_worker_lost = True
    autoretry_for = (OSError,)
    retry_backoff = 2
    retry_backoff_max = 30
    retry_jitter = True
    max_retries = 4

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        SEEN.append(self.name)
        return super().__call__(*args, **kwargs)

    def retry(self, args: Any = None, kwargs: Any = None, exc: Any = None, **options: Any) -> Any:
        """Full jitter may draw a wait of 0 s; the retry's SUCCESS may then be overwritten by RETRY of this attempt."""
        options["countdown"] = max(1, options.get("countdown") or 0)
        return super().retry(args, kwargs, exc=exc, **options)

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        SEEN.append(task_id)


class Config:
    broker_url = "redis://localhost:6379/0"
    result_backend = "redis://localhost:6379/1"


app = Celery("own_base", task_cls=Reliable)
app.config_from_object(Config)


@app.task(bind=True)
def charge(self: Task, customer: str, amount: int) -> None:
    raise NotImplementedError("a run replaces the body")
