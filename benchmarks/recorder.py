"""Tasks a second of a real 2-child prefork worker with the recorder on, against the same worker without it.

    python benchmarks/recorder.py [--tasks 400] [--rounds 40] [--broker redis]

One worker of each kind is up all the time; short rounds alternate between them, so that what else the machine does
falls on both. A round's time is from the start of consuming a full queue to the last body, counted by a byte that each
appends. Prints each pair, the ratio on / off of each, and their median. The bar is 0.95.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import figures
import psutil

from assay.bench import Bench, bench
from assay.cluster import Cluster
from assay.launch import starter
from assay.progress import Silent
from assay.settings import load
from assay.wait import wait_until

HERE = Path(__file__).parent


class Lane:
    """One cluster with a warm worker."""

    def __init__(self, it: Bench, folder: Path, count: Path, db: int, *, recorded: bool) -> None:
        self._count = count
        self.cluster = Cluster(
            it.zygote,
            it.broker,
            folder,
            it.supervisor.folder,
            db,
            concurrency=2,
            live=True,
            recorded=recorded,
            start=starter(it.settings, it.supervisor),
        )
        self.worker = self.cluster.start_worker(wait=recorded)  # without a recorder nothing tells that it is ready
        self.rates: list[float] = []
        self.spent: list[float] = []  # milliseconds of processor time for a task, main and children together

    def _spent_s(self) -> float:
        main = psutil.Process(self.worker.pid)
        return sum(sum(each.cpu_times()[:2]) for each in (main, *main.children()))

    def round(self, tasks: int) -> float:
        """The worker's tasks a second from a full queue."""
        done = self._count.stat().st_size + tasks
        self.worker.pause()
        stamp = time.monotonic_ns()
        requests = [{"task": "counting.count", "id": f"{stamp}-{number}"} for number in range(tasks)]
        for start in range(0, tasks, 200):
            self.cluster.client.ask("publish", tasks=requests[start : start + 200])
        began, spent_s = time.perf_counter(), self._spent_s()
        self.worker.resume()
        wait_until(lambda: self._count.stat().st_size >= done, what=f"{tasks} tasks", timeout_s=120, poll_s=0.002)
        took_s = time.perf_counter() - began
        self.spent.append((self._spent_s() - spent_s) / tasks * 1000)
        return tasks / took_s


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tasks", type=int, default=400, help="in each round")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--broker", default="redis")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="assay-benchmark-") as folder:
        home, count = Path(folder), Path(folder) / "count"
        count.touch()
        settings = load(
            {
                "app": "counting:app",
                "workdir": str(HERE / "apps"),
                "broker": options.broker,
                "out": str(home / "out"),
                "env": {"BENCH_COUNT": str(count)},
            },
            cwd=Path.cwd(),
        )
        with bench(settings, Silent()) as it:
            lanes = {
                name: Lane(it, home / name, count, db, recorded=name == "on") for db, name in ((0, "on"), (2, "off"))
            }
            for lane in lanes.values():
                lane.round(200)  # warm: connections, children
            for number in range(options.rounds):
                for name in sorted(lanes, reverse=bool(number % 2)):
                    lanes[name].rates.append(lanes[name].round(options.tasks))
                on, off = (lanes[name].rates[-1] for name in ("on", "off"))
                print(
                    f"round {number + 1}  on {on:6.0f} tasks/s  off {off:6.0f} tasks/s  ratio {on / off:.3f}"
                    + "  ".join(["", *(f"{name} {lanes[name].spent[-1]:.2f} ms" for name in ("on", "off"))]),
                    flush=True,
                )
            for lane in lanes.values():
                lane.cluster.__exit__(None, None, None)
    ratios = [on / off for on, off in zip(lanes["on"].rates, lanes["off"].rates, strict=True)]
    ratio = round(statistics.median(ratios), 3)
    spent = {name: round(statistics.median(lanes[name].spent), 3) for name in lanes}
    print(f"recorder on / off: {ratio:.3f} (bar: 0.95); processor time of a no-op task: {spent} ms")
    figures.keep(
        "recorder",
        rates={name: lane.rates for name, lane in lanes.items()},
        processor_ms=spent,
        bars=[{"figure": "recorder on against off, no-op tasks", "value": ratio, "bar": 0.95, "met": "above"}],
    )


if __name__ == "__main__":
    main()
