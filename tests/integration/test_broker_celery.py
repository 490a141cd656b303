"""Celery itself on both brokers: a worker killed while idle loses no message that is sent right after."""

import gc
import os
import sys

from both_brokers import both, broker, supervisor
from celery import Celery

from assay.brokers.served import ServedBroker
from assay.process import Process, Supervisor
from assay.wait import wait_until

__all__ = ["both", "broker", "supervisor"]
ROUNDS = 6
APP = """
import os
from celery import Celery

app = Celery("small", broker=os.environ["SMALL_BROKER"], backend=os.environ["SMALL_BROKER"])
app.conf.task_acks_late = True


@app.task
def add(x, y):
    return x + y
"""


def worker(supervisor: Supervisor, broker: ServedBroker, db: int) -> Process:
    folder = supervisor.folder / f"app-{broker.name}"
    folder.mkdir(exist_ok=True)
    (folder / "small.py").write_text(APP)
    options = ["worker", "-c", "1", "--without-mingle", "--without-gossip", "-l", "WARNING"]
    return supervisor.spawn(
        [sys.executable, "-m", "celery", "-A", "small", *options],
        log=folder / "worker.log", cwd=folder, env={**os.environ, "SMALL_BROKER": broker.url(db)}, name="worker",
    )  # fmt: skip


def test_given_an_idle_worker_that_is_killed_when_a_message_is_sent_at_once_then_it_is_not_lost(
    supervisor: Supervisor, broker: ServedBroker
) -> None:
    app = Celery("sender", broker=broker.url(1), backend=broker.url(1))
    kept = []
    for _ in range(ROUNDS):
        started = worker(supervisor, broker, 1)
        wait_until(
            lambda: broker.client(0).info("clients")["blocked_clients"] >= 1, what="an idle worker", timeout_s=30
        )
        started.kill()
        app.send_task("small.add", (1, 2))
        kept.append(broker.depths(1, ["celery"], [0], "", "")["celery"])
        broker.flush(1)
        wait_until(lambda: broker.client(0).info("clients")["blocked_clients"] == 0, what="the dead worker's end")
    _forget(app)
    assert kept == [1] * ROUNDS


def test_given_tasks_then_a_real_worker_runs_them_and_their_results_come_back(
    supervisor: Supervisor, broker: ServedBroker
) -> None:
    app = Celery("sender", broker=broker.url(2), backend=broker.url(2))
    running = worker(supervisor, broker, 2)
    sent = [app.send_task("small.add", (number, 1)) for number in range(50)]
    assert [each.get(timeout=30) for each in sent] == list(range(1, 51))
    wait_until(lambda: not broker.unacked(2), what="the acknowledgements")
    assert broker.depths(2, ["celery"], [0, 3, 6, 9], "\x06\x16", "") == {"celery": 0}
    assert app.control.ping(timeout=5, limit=1)
    app.control.shutdown()
    assert running.wait(20) == 0
    sent.clear()
    _forget(app)


def _forget(app: Celery) -> None:
    """While the broker lives: a result that is collected later tries for minutes to unsubscribe (Celery 5.4)."""
    gc.collect()
    app.close()
