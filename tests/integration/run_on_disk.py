"""Run folders written by hand, as large as is asked for: for the report page, its tests and its benchmark."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

from assay.event import Event, Kind, Point, encode
from assay.mutate.mutant import Mutant, Mutation, Status
from assay.mutate.mutant import Outcome as Became
from assay.report import Report, exit_code
from assay.reports import json, mutants
from assay.verdict import Judgement, Outcome, Result, Verdict

HARNESS = 100
TASKS = ("shop.charge", "shop.send_mail", "blog.publish")
STEP_NS = 3_000_000
CHAOS = "chaos"
NONE = ("", "")


class Told:
    """Events in clock order, each a moment after the one before."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._at_ns = 10**12

    def tell(
        self,
        kind: Kind,
        by: int = HARNESS,
        worker: str = "",
        life: tuple[str, str] = NONE,
        attempt: str = "",
        **more: Any,
    ) -> None:
        self._at_ns += STEP_NS
        self.events.append(Event(self._at_ns, kind, by, worker, *life, attempt, more))


def loaded(number: int, *, struck: int = 20, fate: str = "recovered", seed: int = 1) -> list[Event]:
    """A chaos run of `number` invocations on two workers, of which every `struck`-th one's child is killed.

    What is struck is recovered by another child, or lost; one that is lost is acknowledged before its body.
    """
    told, chance = Told(), Random(seed)
    children = {"w1": [1001, 1002], "w2": [2001, 2002]}
    for worker, pids in children.items():
        main = pids[0] // 1000 * 1000
        told.tell(Kind.WORKER_SPAWNED, worker=worker, pid=main)
        for pid in pids:
            told.tell(Kind.CHILD_STARTED, pid, worker)
        told.tell(Kind.WORKER_READY, main, worker)
    fresh = 3000
    for nth in range(number):
        life = (str(uuid.UUID(int=chance.getrandbits(128), version=4)), TASKS[nth % len(TASKS)])
        worker = chance.choice(("w1", "w2"))
        at = chance.randrange(2)
        told.tell(Kind.PUBLISHED, life=life, queue="shop")
        if nth % struck == struck - 1:
            pid = children[worker][at]
            fresh += 1
            children[worker][at] = fresh
            _killed(told, life, worker, pid, lost=fate == "lost")
            told.tell(Kind.CHILD_STARTED, fresh, worker)
            if fate == "lost":
                told.tell(Kind.FINAL_RESULT, life=life, state="STARTED")
                continue
        _done(told, life, worker, children[worker][at], again=nth % struck == struck - 1)
    told.tell(Kind.SETTLED)
    return told.events


def _killed(told: Told, life: tuple[str, str], worker: str, pid: int, *, lost: bool) -> None:
    attempt, point = f"{pid}-{life[0][:4]}", str(Point.BODY_MIDDLE)
    fault = {"fault": "SIGKILL child", "target": pid, "signal": "SIGKILL", "point": point}
    told.tell(Kind.RECEIVED, 1000, worker, life, queue="shop", redelivered=False, tag=life[0])
    told.tell(Kind.ATTEMPT_STARTED, pid, worker, life, attempt=attempt, retries=0, redelivered=False)
    if lost:
        told.tell(Kind.ACKED, 1000, worker, life)
    told.tell(Kind.BODY_ENTERED, pid, worker, life, attempt=attempt)
    told.tell(Kind.HELD, pid, worker, life, attempt=attempt, point=point)
    told.tell(Kind.FAULT_INJECTED, HARNESS, worker, life, **fault)
    told.tell(Kind.FAULT_LANDED, HARNESS, worker, life, **fault)
    told.tell(Kind.CHILD_LOST, 1000, worker, life, child=pid, exitcode=-9)


def _done(told: Told, life: tuple[str, str], worker: str, pid: int, *, again: bool) -> None:
    attempt = f"{pid}-{life[0][:4]}"
    told.tell(Kind.RECEIVED, 1000, worker, life, queue="shop", redelivered=again, tag=life[0])
    told.tell(Kind.ACCEPTED, 1000, worker, life, child=pid)
    told.tell(Kind.ATTEMPT_STARTED, pid, worker, life, attempt=attempt, retries=0, redelivered=again)
    told.tell(Kind.RESULT_STORED, pid, worker, life, attempt=attempt, state="STARTED")
    told.tell(Kind.BODY_ENTERED, pid, worker, life, attempt=attempt)
    told.tell(Kind.BODY_EXITED, pid, worker, life, attempt=attempt)
    told.tell(Kind.RESULT_STORED, pid, worker, life, attempt=attempt, state="SUCCESS")
    told.tell(Kind.SIGNAL, pid, worker, life, attempt=attempt, name="task_success")
    told.tell(Kind.ATTEMPT_ENDED, pid, worker, life, attempt=attempt, state="SUCCESS")
    told.tell(Kind.ACKED, 1000, worker, life)
    told.tell(Kind.FINAL_RESULT, life=life, state="SUCCESS")


def struck_ids(events: Iterable[Event]) -> list[str]:
    return [event.invocation for event in events if event.kind is Kind.FAULT_LANDED]


def a_chaos_row(events: list[Event], task: str = TASKS[0], *, verdict: Verdict = Verdict.HELD, **fields: Any) -> Result:
    outcome = Outcome.LOST if verdict is Verdict.VIOLATED else Outcome.RECOVERED
    named = tuple(struck_ids(events))
    said = Judgement("delivery", verdict, f"{len(named)} of them {outcome}", outcome, named)
    given = {"suite": CHAOS, "scenario": "sigkill_child", "fault": "SIGKILL child", "folder": CHAOS, "members": [task]}
    given |= {"outcome": outcome, "landed": len(named), "injected": len(named), "reason": said.reason}
    return Result(task=task, verdict=verdict, judgements=[said], **{**given, **fields})


def a_report_of(*rows: Result, **fields: Any) -> Report:
    verdict = Verdict.worst(row.verdict for row in rows)
    given = {"app": {"name": "shop", "module": "shop.celery"}, "broker": {"name": "fakeredis", "version": "7.0.15"}}
    given |= {
        "environment": {"celery": "5.7.0", "pool": "prefork"},
        "command": "assay chaos -A shop",
        "duration_s": 61.7,
    }
    return Report(verdict=verdict, exit_code=exit_code(verdict), results=list(rows), **{**given, **fields})


def write(folder: Path, report: Report, histories: dict[str, list[Event]]) -> Path:
    """A run folder: `histories` by the folders of its rows."""
    json.write(report, folder / json.NAME)
    for place, events in histories.items():
        (folder / place / "events").mkdir(parents=True)
        (folder / place / "events" / "100-1.jsonl").write_bytes(b"".join(encode(each) + b"\n" for each in events))
    return folder


def a_red_run(folder: Path, number: int = 40) -> Path:
    """A small run with lost tasks, ledgers that disagree, and mutants beside it."""
    events = loaded(number, struck=10, fate="lost")
    row = a_chaos_row(events, verdict=Verdict.VIOLATED, claim="task_acks_late=False", place="shop/celery.py:41")
    write(folder, a_report_of(row, landed=row.landed, lost=row.landed), {CHAOS: events})
    mutant = Mutant(
        setting="task_acks_late", change="task_acks_late=True -> False", flips=[], place="shop/celery.py:41"
    )
    found = Mutation(
        app="shop",
        broker="fakeredis",
        pool="prefork",
        outcomes=[Became(mutant=mutant, status=Status.KILLED, killer="acks_late.child_killed_middle")],
    )
    (folder / "mutants.json").write_text(mutants.json(found), encoding="utf-8")
    return folder
