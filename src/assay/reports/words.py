"""Sentences and words that every form of report shares, so that they never disagree."""

import math
import unicodedata
from collections import Counter

from assay.counted import counted
from assay.report import Claim, Report, evidence_bound
from assay.verdict import CHAOS, Outcome, Result, Verdict

EXIT_WORDS = {
    0: "every promise that was put to the test held",
    1: "a promise of the configuration was broken",
    2: "the input could not be used",
    3: "something could not be judged, and unknown is never green",
    4: "the harness itself broke; nothing is said about the app",
}


GRACE_PERIODS = "Grace periods (terminationGracePeriodSeconds, TimeoutStopSec, docker stop -t)"
MEANINGS = {
    Outcome.OK: "done once",
    Outcome.RECOVERED: "interrupted by the fault, and done by a later attempt or a second delivery; the time is to its"
    " start",
    Outcome.FAILED: "ended in a recorded failure",
    Outcome.REVOKED: "stopped on request",
    Outcome.IN_DOUBT: "it cannot be told",
    Outcome.DUPLICATED: "the body ran to its end more than once, as at-least-once delivery allows: make it idempotent",
    Outcome.STUCK: "still queued, unacknowledged or running at the end",
    Outcome.LOOPING: "attempted again and again without end",
    Outcome.LOST: "never done, and nobody will: the broker no longer has it, or it was never published",
}


#: words that a row has where no outcome says what there is to say
VERDICTS = {
    "held": "what was promised held; nothing was to be done that could be lost",
    "violated": "the work was done, or none was due, and something else that was promised did not hold: the block of "
    "its claim tells what",
    "unknown": "the fault did not land or the run did not settle, so nothing is proved; never green",
}


def meanings(report: Report) -> list[str]:
    """What the words that occur mean; where nothing is promised, that too."""
    seen = {result.outcome for result in report.results if result.outcome}
    times = [result.recovery_s for result in report.results if result.recovery_s is not None]
    seen |= {Outcome.RECOVERED} if times else set()
    told = [f"{outcome}: {MEANINGS[outcome]}" for outcome in Outcome if outcome in seen]
    words = {became(result) for result in report.results}
    told += [f"{word}: {meaning}" for word, meaning in VERDICTS.items() if word in words]
    if any(result.outcome is Outcome.LOST and result.verdict is Verdict.HELD for result in report.results):
        told.append("lost with a held verdict: no setting of the task promises otherwise, it is acknowledged early")
    if any(
        row.suite == CHAOS and row.outcome is Outcome.FAILED and row.verdict is Verdict.HELD for row in report.results
    ):
        told.append("failed with a held verdict, in a chaos run: a share of the workload fails on purpose")
    wait_s = float(report.app.get("visibility_timeout_s") or 0)
    if wait_s and max(times, default=0) >= wait_s:
        told.append(
            f"{seconds(wait_s)} and more: of it {seconds(wait_s)}{_in_hours(wait_s)} are the visibility timeout, after "
            "which Redis gives back what a dead worker had (visibility_timeout in broker_transport_options)"
            + _several(max(times), wait_s)
        )
    return told


def plain(text: str) -> str:
    """The text without what could steer a terminal or break an encoder; line breaks become spaces."""
    spaced = " ".join(text.split())
    safe = "".join(c if unicodedata.category(c) not in {"Cc", "Cs", "Cf"} else f"\\x{ord(c):02x}" for c in spaced)
    return safe.encode("utf-8", "backslashreplace").decode()


def seconds(value: float) -> str:
    """ "<0.1 s", "0.4 s", "12 s", "3600 s"."""
    if value < 0.05:
        return "<0.1 s"
    return f"{value:.1f} s" if value < 9.95 else f"{value:.0f} s"


def _several(longest: float, wait_s: float) -> str:
    """Where the message was taken over by a worker that died with it too."""
    if longest < 2 * wait_s:
        return ""
    return f"; {seconds(2 * wait_s)} and more: two of them or more, one for each worker that died with the message"


def _in_hours(value: float) -> str:
    """ " (1 h)", " (1 h 30 min)", " (5 min)"; nothing for what is told well enough in seconds."""
    hours, minutes = divmod(round(value / 60), 60)
    parts = [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes)
    return f" ({' '.join(parts)})" if value >= 120 else ""


def is_open(result: Result) -> bool:
    """A violation that counts: not one of the known findings."""
    return result.verdict is Verdict.VIOLATED and not result.known


def broken_claims(report: Report) -> list[Claim]:
    """Claims that do not hold, the violated first; not those that only known violations speak against."""
    rows = [result for result in report.results if result.verdict is Verdict.VIOLATED]
    excused = {result.claim for result in rows if result.known} - {result.claim for result in rows if not result.known}
    broken = [c for c in report.claims if c.verdict is not Verdict.HELD and not c.known]
    counting = [c for c in broken if c.verdict is Verdict.UNKNOWN or c.setting not in excused]
    return sorted(counting, key=lambda claim: -claim.verdict.rank)


def tally(report: Report) -> str:
    """ "2 claims do not hold: 3 violated, 1 unknown, 40 held, 1 known violation", without the zeros."""
    counts: Counter[str] = Counter()
    for result in report.results:
        counts["known" if result.known else str(result.verdict)] += 1
    words = [f"{counts[verdict]} {verdict}" for verdict in ("violated", "unknown", "held") if counts[verdict]]
    counting = [row for row in report.results if row.verdict is Verdict.HELD and not row.known]
    if lost := sum(row.outcome is Outcome.LOST for row in counting):
        words[-1] += f" (of these {lost} lost, which nothing promises against)"
    if counts["known"]:
        words.append(counted(counts["known"], "known violation"))
    said = ", ".join(words) or "no scenario ran"
    claims, others = not_holding(report), without_claim(report)
    parts = [counted(len(claims), "claim")] * bool(claims)
    parts += [f"{counted(len(others), 'scenario')} without a claim"] * bool(others)
    number = len(claims) + len(others)
    return f"{' and '.join(parts)} {'do' if number > 1 else 'does'} not hold: {said}" if number else said


def not_holding(report: Report) -> list[str]:
    """The settings whose claims do not hold."""
    rows = [result.claim for result in report.results if is_open(result) and result.claim]
    claims = [claim.setting for claim in broken_claims(report) if claim.verdict is Verdict.VIOLATED]
    return list(dict.fromkeys([*rows, *claims]))


def without_claim(report: Report) -> list[str]:
    """The scenarios with a violated row that no setting is behind."""
    return list(dict.fromkeys(scenario_name(row) for row in report.results if is_open(row) and not row.claim))


def claims_held(report: Report) -> str:
    """ "14 of 20 held", with what the others are where they are not all violated; nothing where nothing is claimed."""
    held = sum(claim.verdict is Verdict.HELD for claim in report.claims)
    broken = broken_claims(report)
    unknown = sum(claim.verdict is Verdict.UNKNOWN for claim in broken)
    excused = [each.setting for each in report.claims if each.verdict is Verdict.VIOLATED and each not in broken]
    told = f"{held} of {len(report.claims)} held" + f", {unknown} unknown" * bool(unknown)
    told += f"; known findings alone break {', '.join(excused)}" if excused else ""
    return told if report.claims else ""


def grace_periods(report: Report) -> list[str]:
    """What deployments must know of each task though it held: "shop.charge: it needs 600 s and a few to leave ..."."""
    tasks: dict[str, list[str]] = {}
    for result in report.results:
        for judgement in result.judgements:
            if judgement.checker == "grace" and judgement.verdict is Verdict.HELD:
                tasks.setdefault(judgement.reason, []).append(row_task(result))
    return [f"{', '.join(names)}: {reason}" for reason, names in tasks.items()]


def cell(result: Result) -> str:
    """The outcome and the recovery time: "recovered 0.4 s"; the verdict where the outcome alone would mislead.

    A row of a chaos run is about many invocations: "failed, others recovered 65 s" is told by the worst of them.
    """
    word = became(result)
    if result.verdict is not Verdict.UNKNOWN:
        word += _recovered(result, " ")
    return f"known: {word}" if result.known else word


def became(result: Result) -> str:
    """The outcome, or the verdict where the outcome alone would mislead."""
    misleading = result.verdict is Verdict.UNKNOWN or is_beside_the_outcome(result)
    return str(result.verdict if misleading else result.outcome or result.verdict)


def is_beside_the_outcome(result: Result) -> bool:
    """The work was done, and it is something else that is violated."""
    return result.verdict is Verdict.VIOLATED and result.outcome is Outcome.OK


def _recovered(result: Result, after: str) -> str:
    if result.recovery_s is None:
        return ""
    others = "" if result.outcome is Outcome.RECOVERED else ", others recovered"
    return f"{others}{after}{seconds(result.recovery_s)}"


def scenario_name(result: Result) -> str:
    """ "suite.scenario", as --scenario takes it."""
    return f"{result.suite}.{result.scenario}"


def row_task(result: Result) -> str:
    """The task, and how many others share its profile."""
    others = len(set(result.members) - {result.task})
    return f"{result.task} (+{others} like it)" if others else result.task


def row_line(result: Result) -> str:
    """ "violated  acks_late.main_killed  shop.charge: lost": one row in one line."""
    outcome = f": {result.outcome}" if result.outcome and not is_beside_the_outcome(result) else ""
    took = _recovered(result, " in ")
    verdict = "known" if result.known else str(result.verdict)
    return f"{verdict:<8}  {plain(scenario_name(result))}  {plain(result.task)}{outcome}{took}"


def evidence(report: Report) -> str:
    """What a green is worth: "0 lost in 250 landed faults: under 1.2 % a fault (95 %)"."""
    known = f"; {report.landed_known} of known findings not counted" if report.landed_known else ""
    beside = f", and {report.lost_beside} lost that no fault was meant for" if report.lost_beside else ""
    if report.landed == 0:
        return f"no fault that could lose a task landed, so nothing is proved about losses{beside}{known}"
    told = f"{report.lost} lost in {counted(report.landed, 'landed fault')}{beside}"
    bound = None if report.lost_beside else evidence_bound(report.lost, report.landed)
    worth = "" if bound is None else f": under {_rounded_up(bound * 100)} % a fault (95 %)"
    return told + worth + known


def _rounded_up(percent: float) -> str:
    """Two digits, never below the true bound."""
    step = 10.0 ** (math.floor(math.log10(percent)) - 1)
    return f"{math.ceil(percent / step - 1e-9) * step:.2g}"


def stack(report: Report) -> str:
    """ "fakeredis 2.40.0, prefork, celery 5.7.0, kombu 5.7.0, python 3.11.7": what the app ran on."""
    environment = dict(report.environment)
    broker = " ".join(str(report.broker[key]) for key in ("name", "version") if report.broker.get(key))
    parts = [broker, environment.pop("pool", "")]
    parts += ["cold workers"] if environment.get("workers") == "cold" else []
    parts += ["real bodies"] if environment.get("bodies") == "live" else []
    parts += [
        f"{name} {environment[name]}" for name in ("celery", "kombu", "django", "python") if environment.get(name)
    ]
    return ", ".join(part for part in parts if part)
