"""Tasks a second through a real 2-child prefork worker: the embedded broker against a real redis-server, side by side.

    python benchmarks/broker.py [--tasks 1000] [--rounds 5]

One worker for each broker runs all the time; rounds alternate between the brokers, so that what else the machine does
falls on both. A round's time is from the first publish to the end of the last body, counted by a byte that each body
appends to a file. Prints each round, medians, and the ratio embedded / Redis.
"""

import argparse
import os
import statistics
import sys
import time

import figures

from assay.broker import Broker, start
from assay.process import Process, Supervisor
from assay.wait import wait_until

APP = """
import os
from celery import Celery

app = Celery("bench", broker=os.environ["BENCH_BROKER"])
app.conf.update(task_ignore_result=True, worker_send_task_events=False)
fd = os.open(os.environ["BENCH_COUNT"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)


@app.task
def nothing():
    os.write(fd, b".")
"""
COMMAND = ("-m", "celery", "-A", "bench", "worker", "-c", "2", "-P", "prefork", "-l", "WARNING")
QUICK_START = ("--without-gossip", "--without-mingle")


class Lane:
    """One broker, its worker, and a producer."""

    def __init__(self, name: str, supervisor: Supervisor) -> None:
        self.name = name
        folder = supervisor.folder / name
        folder.mkdir()
        (folder / "bench.py").write_text(APP)
        self.broker: Broker = start(name, folder / "broker", supervisor.spawn)
        self._count = folder / "count"
        self._count.touch()
        env = {**os.environ, "BENCH_BROKER": self.broker.url(0), "BENCH_COUNT": str(self._count)}
        self.worker: Process = supervisor.spawn(
            [sys.executable, *COMMAND, *QUICK_START],
            log=folder / "worker.log",
            env=env,
            cwd=folder,
            name=f"{name} worker",
        )
        from celery import Celery

        self._app = Celery(name, broker=self.broker.url(0))
        self.rates: list[float] = []

    def round(self, tasks: int) -> float:
        """Publish `tasks` messages and wait until all have run; returns tasks a second."""
        done = self._count.stat().st_size + tasks
        started = time.perf_counter()
        with self._app.connection_for_write() as connection, connection.Producer() as producer:
            for _ in range(tasks):
                self._app.send_task("bench.nothing", producer=producer)
        wait_until(lambda: self._count.stat().st_size >= done, what=f"{tasks} tasks", timeout_s=120, poll_s=0.002)
        return tasks / (time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tasks", type=int, default=1000, help="in each round")
    parser.add_argument("--rounds", type=int, default=5, help="for each broker")
    options = parser.parse_args()
    with Supervisor() as supervisor:
        lanes = [Lane(name, supervisor) for name in ("fakeredis", "redis")]
        for lane in lanes:
            lane.round(50)  # warm: connections, children
        for number in range(options.rounds):
            for lane in lanes if number % 2 else reversed(lanes):
                lane.rates.append(lane.round(options.tasks))
                print(f"round {number + 1}  {lane.name:9}  {lane.rates[-1]:7.0f} tasks/s", flush=True)
        for lane in lanes:
            lane.broker.stop()
    medians = {lane.name: statistics.median(lane.rates) for lane in lanes}
    ratio = medians["fakeredis"] / medians["redis"]
    embedded, real = round(medians["fakeredis"]), round(medians["redis"])
    print(f"median    embedded {embedded}, redis {real} tasks/s, ratio {ratio:.2f} (bar 0.5)")
    figures.keep(
        "broker",
        rates={lane.name: lane.rates for lane in lanes},
        bars=[{"figure": "embedded broker against Redis", "value": round(ratio, 2), "bar": 0.5, "met": "above"}],
    )


if __name__ == "__main__":
    main()
