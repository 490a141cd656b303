"""The pool: children that are lost, a restart by remote control, a soft shutdown that waits."""

from collections.abc import Callable
from typing import Any

from assay.event import Kind
from assay.instrument import wrapping
from assay.recorder import Recorder


def record_pool(recorder: Recorder) -> None:
    """A child that is lost, whether or not its task is reported so; restarts; the start of a soft shutdown."""
    from billiard.pool import Pool, TimeoutHandler
    from celery.concurrency.asynpool import AsynPool
    from celery.worker import WorkController

    def lost(original: Callable[..., Any]) -> Callable[..., Any]:
        def mark_as_worker_lost(self: Any, job: Any, exitcode: int) -> Any:
            invocation = str(getattr(job, "correlation_id", "") or "")
            child = getattr(job, "_worker_pid", None)
            recorder.record(Kind.CHILD_LOST, invocation, exitcode=exitcode, child=child)
            try:
                return original(self, job, exitcode)
            finally:
                recorder.record(Kind.LOSS_HANDLED, invocation, child=child)

        return mark_as_worker_lost

    def down(original: Callable[..., Any]) -> Callable[..., Any]:
        def on_job_process_down(self: Any, job: Any, pid_gone: int) -> Any:
            # A child that dies before main has read that it took the job is not reported as lost: the pool gives the
            # job to another child by itself (AsynPool.on_partial_read), though the body may have begun in the first.
            written_to = job._write_to
            handed_on = not job._accepted and written_to is not None and not written_to._is_alive()
            result = original(self, job, pid_gone)
            if handed_on:
                recorder.record(Kind.CHILD_LOST, str(job.correlation_id or ""), child=pid_gone, handed_on=True)
            return result

        return on_job_process_down

    def hard(original: Callable[..., Any]) -> Callable[..., Any]:
        def on_hard_timeout(self: Any, job: Any) -> Any:
            over = job.ready()  # it was faster than its limit
            result = original(self, job)
            if not over:
                recorder.record(Kind.CHILD_KILLED, str(job.correlation_id or ""), child=job._worker_pid)
            return result

        return on_hard_timeout

    def reload(original: Callable[..., Any]) -> Callable[..., Any]:
        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            result = original(self, *args, **kwargs)
            recorder.record(Kind.POOL_RESTARTED)
            return result

        return method

    def soft(original: Callable[..., Any]) -> Callable[..., Any]:
        def wait_for_soft_shutdown(self: Any) -> Any:
            recorder.record(Kind.WORKER_STOPPING, how="cold")  # its signal is only sent after this wait
            return original(self)

        return wait_for_soft_shutdown

    if hasattr(WorkController, "wait_for_soft_shutdown"):  # Celery 5.5
        wrapping.wrap(WorkController, "wait_for_soft_shutdown", soft)
    wrapping.wrap(Pool, "mark_as_worker_lost", lost)
    wrapping.wrap(TimeoutHandler, "on_hard_timeout", hard)
    wrapping.wrap(AsynPool, "on_job_process_down", down)
    wrapping.wrap(WorkController, "reload", reload)
