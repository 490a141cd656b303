"""Events judged a second, and memory by length of history, up to ten million events.

    python benchmarks/checkers.py [--events 10000000] [--open 1000]

Histories are laid out as a real run's: a file for the harness, one for the worker's main process, one for each of two
pool children; each invocation is the thirteen events that AutoTest's tasks leave behind. The last `--open` of them
never end. Each length is judged in a process of its own by Delivery, Attempts, Ledgers and Evidence, so that the peak
of its memory is this history's. Two speeds are told: from decoded events to judgements (the checkers, bar 500,000), and
from the files (reading and decoding as well, what `assay check` does).
"""

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import figures

from assay.checker import check
from assay.checkers import Attempts, Delivery, Evidence, Ledgers
from assay.event import Event, Kind, encode
from assay.history import History

HARNESS, MAIN, CHILDREN = 100, 200, (201, 202)
TASK = "myapp.views.celery_views.execute_python_script"
DECODED = 1_300_000  # as many as fit into a list without the machine's noise being all of it
CHECKERS = (
    Delivery(contract="at_least_once"),
    Attempts(),
    Ledgers(),
    Evidence(landed=0),
)


def life(number: int, ends: bool, chance: Random) -> list[Event]:
    """What one invocation leaves in the files, as in `recycling.exact_under_load` of a run over AutoTest."""
    invocation = str(uuid.UUID(int=chance.getrandbits(128), version=4))
    child = CHILDREN[number % 2]
    attempt = f"{child}-{number}"
    at = number * 1_000_000 + 1_000

    def each(offset: int, kind: Kind, pid: int, token: str = "", **detail: Any) -> Event:
        worker = "" if pid == HARNESS else "w1"
        return Event(at + offset, kind, pid, worker, invocation, TASK, token, detail)

    events = [
        each(0, Kind.PUBLISHED, HARNESS),
        each(1, Kind.RECEIVED, MAIN, queue="script_execution", redelivered=False, tag=invocation),
        each(2, Kind.ACCEPTED, MAIN, child=child),
        each(3, Kind.ATTEMPT_STARTED, child, attempt, retries=0, redelivered=False, start=0),
        each(4, Kind.RESULT_STORED, child, attempt, state="STARTED"),
        each(5, Kind.BODY_ENTERED, child, attempt, start=0),
    ]
    if not ends:
        return events
    return [
        *events,
        each(6, Kind.EFFECT, child, attempt, done=True),
        each(7, Kind.BODY_EXITED, child, attempt),
        each(8, Kind.RESULT_STORED, child, attempt, state="SUCCESS"),
        each(9, Kind.SIGNAL, child, attempt, name="task_success"),
        each(10, Kind.ATTEMPT_ENDED, child, attempt, state="SUCCESS"),
        each(11, Kind.ACKED, MAIN),
    ]


def lives(events: int, open_: int) -> Iterator[list[Event]]:
    chance = Random(1)
    number = events // 13
    for each in range(number):
        yield life(each, each < number - open_, chance)


def write(folder: Path, events: int, open_: int) -> int:
    """The number of events written."""
    (folder / "events").mkdir(parents=True)
    files = {pid: (folder / "events" / f"{pid}-1.jsonl").open("wb") for pid in (HARNESS, MAIN, *CHILDREN)}
    written = 0
    for one in lives(events, open_):
        written += len(one)
        for each in one:
            files[each.pid].write(encode(each) + b"\n")
    end = events * 1_000_000
    files[HARNESS].write(encode(Event(end, Kind.UNSETTLED if open_ else Kind.SETTLED, HARNESS)) + b"\n")
    for number, one in enumerate(lives(events, open_), 1):  # the final read comes last, when most are forgotten
        state = "SUCCESS" if one[-1].kind is Kind.ACKED else "STARTED"
        read = Event(end + number, Kind.FINAL_RESULT, HARNESS, "", one[0].invocation, TASK, "", {"state": state})
        files[HARNESS].write(encode(read) + b"\n")
        written += 1
    for file in files.values():
        file.close()
    return written + 1


def memory_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def judge(folder: str, keep: bool, answer: Any) -> None:
    """In a process of its own: seconds, and by how many MiB its peak grew."""
    checkers = [*CHECKERS, Keeping()] if keep else list(CHECKERS)
    before, began = memory_mib(), time.perf_counter()
    verdicts = [str(each.verdict) for each in check(checkers, History(Path(folder)))]
    answer.put((time.perf_counter() - began, memory_mib() - before, verdicts))


class Keeping:
    """A checker that can do without no life: what memory would be without forgetting."""

    def judge(self, lives: Any, world: Any) -> Any:
        from assay.verdict import Judgement, Verdict

        return Judgement("keeping", Verdict.HELD, f"{len(lives)} kept")


def apart(folder: Path, *, keep: bool) -> tuple[float, float, list[str]]:
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    process = context.Process(target=judge, args=(str(folder), keep, answer))
    process.start()
    found = answer.get()
    process.join()
    return found  # type: ignore[no-any-return]


def decoded_rate(rounds: int = 3) -> float:
    """Events a second from a list of events to the judgements; the best of the rounds is the least disturbed one."""
    events = [each for one in islice(lives(DECODED, 0), DECODED) for each in one]
    best = 0.0
    for _ in range(rounds):
        began = time.perf_counter()
        check(CHECKERS, events)
        best = max(best, len(events) / (time.perf_counter() - began))
    return best


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--events", type=int, default=10_000_000, help="in the longest history")
    parser.add_argument("--open", type=int, default=1000, help="invocations that never end")
    options = parser.parse_args()
    by_length = []
    for events in (options.events // 100, options.events // 10, options.events):
        with tempfile.TemporaryDirectory(prefix="assay-benchmark-") as home:
            folder = Path(home) / "run"
            written = write(folder, events, options.open)
            took_s, grown, verdicts = apart(folder, keep=False)
            # above that, keeping every life is not worth the wait: it grows in proportion
            kept = apart(folder, keep=True)[1] if events <= options.events // 10 else by_length[-1]["keeping_mib"] * 10
        rate = written / took_s
        row = {"events": written, "from_files": round(rate), "memory_mib": round(grown, 1), "keeping_mib": round(kept)}
        by_length.append(row)
        print(
            f"{written:>11,} events  {rate:>9,.0f} a second from files  {grown:7.1f} MiB"
            f"  ({kept:,.0f} MiB if every life were kept)  {' '.join(verdicts)}",
            flush=True,
        )
    with tempfile.TemporaryDirectory(prefix="assay-benchmark-") as home:
        few, many = Path(home) / "few", Path(home) / "many"
        opens = {}
        for folder, open_ in ((few, options.open), (many, options.open * 20)):
            write(folder, options.events // 10, open_)
            opens[open_] = round(apart(folder, keep=False)[1], 1)
    print("memory by open invocations:", json.dumps(opens))
    rate = decoded_rate()
    print(f"checkers: {rate:,.0f} events a second from decoded events (bar: 500,000)")
    figures.keep(
        "checkers",
        by_length=by_length,
        by_open=[{"open": open_, "memory_mib": mib} for open_, mib in opens.items()],
        bars=[{"figure": "checkers, events a second", "value": round(rate), "bar": 500_000, "met": "above"}],
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
