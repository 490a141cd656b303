"""Reports written by hand, for the tests of everything that tells them."""

from typing import Any

from assay.report import Claim, Report, exit_code
from assay.verdict import Judgement, Outcome, Result, Verdict

LATE = "task_acks_late=False"
UNKNOWN_SETTING = "task_max_retries=3"


def a_row(scenario: str = "acks_late.main_killed", task: str = "shop.charge", **fields: Any) -> Result:
    suite, _, name = scenario.partition(".")
    given = {"fault": "kill main", "verdict": Verdict.HELD, "outcome": Outcome.RECOVERED, "recovery_s": 0.42}
    return Result(suite=suite, scenario=name, task=task, **{**given, "injected": 3, "landed": 3, **fields})


def a_lost_row(scenario: str = "acks_late.main_killed", task: str = "shop.charge", **fields: Any) -> Result:
    lost = Judgement("delivery", Verdict.VIOLATED, "1 of 3 lost", Outcome.LOST, ("3f2a91c4-0000",))
    given = {
        "verdict": Verdict.VIOLATED,
        "outcome": Outcome.LOST,
        "recovery_s": None,
        "claim": LATE,
        "promise": "at most once",
        "place": "shop/celery.py:41",
        "remedy": "set task_acks_late=True",
        "reason": "acknowledged 2 ms after its delivery, and nobody will run it again",
        "judgements": [lost],
    }
    return a_row(scenario, task, **{**given, **fields})


def an_unknown_row(scenario: str = "recycling.memory_limit", task: str = "shop.charge") -> Result:
    reason = "the fault never landed: no child reached 300 MB"
    return a_row(scenario, task, verdict=Verdict.UNKNOWN, outcome=None, recovery_s=None, landed=0, reason=reason)


def a_report(*rows: Result, **fields: Any) -> Report:
    verdict = Verdict.worst(row.verdict for row in rows if not row.known)
    given = {
        "verdict": verdict,
        "exit_code": exit_code(verdict),
        "app": {"name": "shop", "module": "shop.celery"},
        "broker": {"name": "fakeredis", "version": "2.40.0"},
        "environment": {"celery": "5.7.0", "pool": "prefork"},
        "landed": 250,
        "duration_s": 61.7,
        "command": "assay run -A shop",
    }
    return Report(results=list(rows), **{**given, **fields})


def a_red_report() -> Report:
    claims = [
        Claim(setting=LATE, promise="at most once", verdict=Verdict.VIOLATED),
        Claim(
            setting=UNKNOWN_SETTING,
            promise="at most 3 retries",
            observed="Celery has no such setting",
            remedy="use task_annotations",
            place="shop/celery.py:60",
            verdict=Verdict.VIOLATED,
        ),
        Claim(setting="task_time_limit=600", promise="no attempt runs longer", verdict=Verdict.HELD),
    ]
    known = a_lost_row("acks_late.quit_cold", known="cold shutdown loses it (celery#1)")
    rows = [a_row("retries.gives_up"), a_lost_row(), an_unknown_row(), known]
    return a_report(
        *rows, claims=claims, redirected=["broker_url -> redis://127.0.0.1:41573/0"], scaled=["600 s -> 2.4 s"], lost=3
    )
