"""Each setting that the app gives, its place, what it claims, and what became of that. Pure."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

from assay.audit.finding import Finding, Kind
from assay.audit.promises import EITHER_WAY, PROMISES
from assay.brokers import unheeded
from assay.counted import counted
from assay.report import Report
from assay.subject import Setting, Subject
from assay.verdict import Result, Verdict


class State(StrEnum):
    """Worst first."""

    DISPROVED = "disproved"
    DEAD = "dead"
    UNKNOWN = "unknown"  # it was tried, and could not be judged
    PROVED = "proved"
    UNTRIED = "not tried"  # nothing was run
    UNPROVABLE = "not provable here"
    NO_CLAIM = "no claim"


class Entry(msgspec.Struct, frozen=True):
    """One setting, or the options that tasks have by themselves. `why` tells the state in a few words."""

    setting: str  # as the user knows it
    key: str  # its name of today
    place: str
    promise: str
    state: State
    why: str


def states(subject: Subject, findings: Sequence[Finding], report: Report | None, broker: str) -> list[Entry]:
    """In the order of the configuration. Without a report nothing was run."""
    return [_entry(setting, findings, report, broker) for setting in subject.settings if not setting.own]


def _entry(setting: Setting, findings: Sequence[Finding], report: Report | None, broker: str) -> Entry:
    rows = [row for row in report.results if row.claim == str(setting)] if report else []
    against = [each for each in findings if setting.key in each.settings and not each.accepted]
    state, why = _state(setting, against, rows, broker, ran=report is not None)
    promise = next((row.promise for row in rows if row.promise), _promised(setting))
    return Entry(str(setting), setting.key, setting.place, promise, state, why)


def _state(
    setting: Setting, against: Sequence[Finding], rows: Sequence[Result], broker: str, *, ran: bool
) -> tuple[State, str]:
    by_kind = {kind: list(dict.fromkeys(each.rule for each in against if each.kind is kind)) for kind in Kind}
    open_rows = [row for row in rows if not row.known]
    if violated := [row for row in open_rows if row.verdict is Verdict.VIOLATED]:
        return State.DISPROVED, f"{counted(len(violated), 'row')} of {len(rows)}: {_names(violated)}"
    if by_kind[Kind.DEAD] or not setting.known:
        return State.DEAD, ", ".join(by_kind[Kind.DEAD]) or "nothing reads it"
    if by_kind[Kind.BROKEN]:
        return State.DISPROVED, ", ".join(by_kind[Kind.BROKEN])
    if unknown := [row for row in open_rows if row.verdict is Verdict.UNKNOWN]:
        return State.UNKNOWN, f"{counted(len(unknown), 'row')} of {len(rows)}: {_names(unknown)}"
    if open_rows:
        return State.PROVED, f"held in {counted(len(open_rows), 'row')}: {_names(open_rows)}"
    if not _promised(setting):
        return State.NO_CLAIM, ""
    if not ran:
        return State.UNTRIED, ""
    return State.UNPROVABLE, unheeded([setting.key], broker) or "no scenario of this run is about it"


def _promised(setting: Setting) -> str:
    """A setting that is off promises nothing of what it would do."""
    return PROMISES.get(setting.key, "") if setting.value or setting.key in EITHER_WAY else ""


def _names(rows: Iterable[Result]) -> str:
    names = list(dict.fromkeys(f"{row.suite}.{row.scenario}" for row in rows))
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")
