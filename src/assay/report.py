"""What a run found, as one value: `report.json` is this, and every other report is made from it."""

from typing import Any

import msgspec

from assay.verdict import Result, Verdict

SCHEMA = 1
BASELINE = "reliability-baseline.json"  # the usual name of what `assay baseline` keeps of reports


class Claim(msgspec.Struct, kw_only=True):
    """A promise of the configuration and what became of it."""

    setting: str  # as the user knows it: "task_time_limit=600"
    promise: str  # in words
    verdict: Verdict
    observed: str = ""
    place: str = ""
    remedy: str = ""
    tasks: list[str] = []
    known: str = ""  # the team's reason, where it accepts what was found without running anything


class Part(msgspec.Struct, kw_only=True):
    """One part of a contract: demanded by the team, or inferred from what the configuration itself claims."""

    name: str  # delivery, recovery_s, attempts, run_s, queue
    value: Any
    demanded: bool = False
    place: str = ""  # file:line of the demand, or of the setting that it is inferred from
    by: str = ""  # what it is inferred from, or of whom it is demanded beside this task


class Contract(msgspec.Struct, kw_only=True):
    """What a task of the run, and those that it stands for, were held to."""

    task: str
    members: list[str] = []
    importance: int = 0
    parts: list[Part] = []


#: what becomes of a canary that is well: the loss was seen
CANARY_LOST = "lost, as it must be"


class Report(msgspec.Struct, kw_only=True):
    """One run. Written as `<run folder>/report.json`; docs/report.md describes each field."""

    schema: int = SCHEMA
    verdict: Verdict
    exit_code: int
    app: dict[str, Any]  # name, module, tasks: {name: {queue, acks_late, ..., profile}}, settings
    broker: dict[str, Any]  # name, version
    environment: dict[str, str]  # celery, kombu, billiard, redis, django, python, platform, pool, cold
    redirected: list[str] = []  # what the harness changed, one sentence each, nothing else was
    scaled: list[str] = []  # durations that were scaled down, with the factor
    contracts: list[Contract] = []  # of the tasks that were run, the most important first
    claims: list[Claim] = []
    results: list[Result] = []
    landed: int = 0  # faults that could lose a task
    lost: int = 0
    lost_beside: int = 0  # of a chaos run: tasks that no fault was meant for
    landed_known: int = 0  # further ones, of known findings: those say nothing about all others
    known_not_seen: list[str] = []  # known findings that no longer show
    canary: str = ""  # what became of the configuration that was broken on purpose; "": there was none
    started_at: str = ""  # ISO 8601, UTC
    duration_s: float = 0.0
    command: str = ""
    selection: dict[str, list[str]] = {}  # suites, scenarios, tasks: patterns that rows were chosen by; none: all


def exit_code(verdict: Verdict) -> int:
    """0 held, 1 violated, 3 unknown (docs/exit-codes.md); 2 and 4 belong to errors."""
    return {Verdict.HELD: 0, Verdict.VIOLATED: 1, Verdict.UNKNOWN: 3}[verdict]


def evidence_bound(lost: int, landed: int) -> float | None:
    """Upper 95 % bound of the chance that one landed fault loses a task; None where nothing landed.

    With nothing lost it is the rule of three's exact form, 1 - 0.05 ** (1 / n); otherwise no bound is claimed (None).
    """
    if landed == 0 or lost:
        return None
    return float(1 - 0.05 ** (1 / landed))
