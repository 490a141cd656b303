"""A warm prefork worker until ready, against the cold `celery worker` command of the same app; and one whole test.

Side by side in one run, rounds interleaved:  python benchmarks/workers.py [-A APP] [--workdir DIR] [--rounds N]
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import figures
import msgspec

from assay.bench import Bench, bench
from assay.cluster import Cluster
from assay.event import Kind, Point
from assay.launch import starter
from assay.progress import Silent
from assay.script import Hold, Script
from assay.settings import load

HERE = Path(__file__).parent


def cluster(it: Bench, folder: Path, *, cold: bool = False) -> Cluster:
    settings = msgspec.structs.replace(it.settings, cold=cold)
    return Cluster(
        it.zygote, it.broker, folder, it.supervisor.folder, 0, concurrency=2, start=starter(settings, it.supervisor)
    )


def ready_s(it: Bench, folder: Path, *, cold: bool) -> float:
    """From asking for a worker to its worker_ready signal."""
    with cluster(it, folder, cold=cold) as made:
        begin = time.monotonic()
        made.start_worker()
        return time.monotonic() - begin


def kill_test_s(it: Bench, folder: Path, task: str) -> float:
    """Start a worker, run a task, kill its whole worker mid-task, judge, stop."""
    from assay.checker import check
    from assay.checkers import Delivery, Evidence
    from assay.history import History

    begin = time.monotonic()
    with cluster(it, folder) as made:
        worker = made.start_worker()
        invocation = made.publish(task, Script(holds=(Hold(Point.BODY_MIDDLE),)))
        made.kill_worker(worker, made.hold_at(invocation, Point.BODY_MIDDLE), group=True)
        made.record(Kind.SETTLED)
        made.final_read()
        judged = check([Delivery(contract="any", ids=[invocation]), Evidence(landed=1)], list(History(folder)))
        assert judged
    return time.monotonic() - begin


EMBEDDED = """
import sys, time
from celery import Celery
from celery.contrib.testing.worker import start_worker
app = Celery("bench", broker=sys.argv[2], backend=sys.argv[2])
@app.task
def add(x, y): return x + y
import celery.contrib.testing.tasks
times = []
for _ in range(int(sys.argv[1])):
    begin = time.monotonic()
    with start_worker(app, perform_ping_check=False):
        assert add.delay(1, 2).get(timeout=10) == 3
    times.append(time.monotonic() - begin)
print(sorted(times)[len(times) // 2])
"""


def embedded_s(rounds: int, url: str) -> float:
    """celery.contrib.testing: start, run one task, stop; median."""
    command = [sys.executable, "-c", EMBEDDED, str(rounds), url]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def cold_test_s(it: Bench, folder: Path, task: str) -> float:
    """A subprocess `celery worker`: start, run one task, stop."""
    begin = time.monotonic()
    with cluster(it, folder, cold=True) as made:
        worker = made.start_worker()
        made.publish(task)
        made.settle()
        worker.terminate()
        worker.wait(30.0)
    return time.monotonic() - begin


def median(rounds: int, measure: Callable[[int], float]) -> float:
    return statistics.median(measure(number) for number in range(rounds))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("-A", "--app", default="plain:app")
    parser.add_argument("--workdir", default=str(HERE / "apps"))
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="assay-benchmark-"))
    settings = load({"app": options.app, "workdir": options.workdir, "out": str(home / "out")}, cwd=Path.cwd())
    seen: dict[str, list[float]] = {"warm": [], "cold": [], "kill test": [], "cold test": []}
    with bench(settings, Silent()) as it:
        task = it.subject.tasks[0].name
        for number in range(options.rounds):
            seen["warm"].append(ready_s(it, home / f"warm{number}", cold=False))
            seen["cold"].append(ready_s(it, home / f"cold{number}", cold=True))
            seen["kill test"].append(kill_test_s(it, home / f"kill{number}", task))
            seen["cold test"].append(cold_test_s(it, home / f"test{number}", task))
        seen["embedded test"] = [embedded_s(options.rounds, it.broker.url(90))]
    middle = {name: statistics.median(values) for name, values in seen.items()}
    shutil.rmtree(home)
    for name, value in middle.items():
        print(f"{name:<14} {value * 1000:8.0f} ms")
    print(f"warm worker ready: {middle['cold'] / middle['warm']:.1f} times sooner than cold (bar: 10)")
    whole = middle["kill test"]
    sooner = middle["embedded test"] / whole
    print(f"whole test with a kill: {sooner:.1f} times sooner than celery.contrib.testing (bar: 4)")
    print(f"                        {middle['cold test'] / whole:.1f} times sooner than a subprocess worker")
    warm = round(middle["cold"] / middle["warm"], 1)
    figures.keep(
        "workers",
        milliseconds={name: round(value * 1000) for name, value in middle.items()},
        bars=[
            {"figure": "warm worker ready, times sooner than cold", "value": warm, "bar": 10, "met": "above"},
            {
                "figure": "whole test with a kill, times sooner than celery.contrib.testing",
                "value": round(sooner, 1),
                "bar": 4,
                "met": "above",
            },
        ],
    )


if __name__ == "__main__":
    main()
