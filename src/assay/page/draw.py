"""From a reading to a scene: what is drawn, and what each invocation's three ledgers say. Pure."""

from collections.abc import Sequence

import msgspec

from assay.checkers.delivery import outcome
from assay.checkers.ledgers import lie
from assay.checkers.recovery import recoveries
from assay.checkers.words import killed, struck_beside, tale, times
from assay.counted import counted
from assay.event import Event, Kind
from assay.life import Attempt, Life, World
from assay.page.lanes import lanes, packed
from assay.page.reading import Named, Reading, worst_first
from assay.page.scene import Arrow, Bar, Invocation, Lane, Lines, Mark, Scene
from assay.page.strings import Strings
from assay.reports.words import plain
from assay.story import AROUND, FINAL, lane_of, sentence
from assay.verdict import Outcome, Result, Verdict

DETAIL = 4000  # characters
TALES = 600  # characters
_json = msgspec.json.Encoder().encode


def scene(reading: Reading, rows: Sequence[Result], named: Named, strings: Strings) -> Scene:
    """With all the events that were read. `rows` are those of the report that this history is about."""
    lives = worst_first(reading.lives, reading.world, named)
    numbers = {life.id: number for number, life in enumerate(lives)}
    drawn, processes, by_pid = lanes(reading.alive, reading.base_ns)
    drawn, bars, arrows = _bars(lives, reading, drawn, by_pid)
    shown = {event.invocation for _, event in reading.events}
    worst = max(rows, key=lambda row: row.verdict.rank, default=None)
    return Scene(
        name=" and ".join(dict.fromkeys(f"{row.suite}.{row.scenario}" for row in rows)) if len(rows) == 1 else "",
        task=rows[0].task if len(rows) == 1 else "",
        folder=rows[0].folder if rows else "",
        verdict=str(worst.verdict) if worst else "",
        word=str(worst.outcome or worst.verdict) if worst else "",
        base_ns=str(reading.base_ns),
        span_ns=reading.end_ns - reading.base_ns,
        lanes=drawn,
        processes=processes,
        bars=bars,
        marks=_marks(reading, numbers, by_pid),
        arrows=arrows,
        lives=[invocation(life, reading.world, named, life.id in shown) for life in lives],
        lines=_lines(reading.events, reading, numbers, strings),
        plain=reading.world.forgotten.total(),
        events=reading.total,
    )


def thinner(whole: Scene, reading: Reading, kept: Sequence[tuple[int, Event]], strings: Strings) -> Scene:
    """The same with these of its events."""
    shown = {event.invocation for _, event in kept}
    numbers = {life.id: number for number, life in enumerate(whole.lives)}
    return msgspec.structs.replace(
        whole,
        lives=[msgspec.structs.replace(life, shown=life.id in shown) for life in whole.lives],
        lines=_lines(kept, reading, numbers, strings),
    )


def invocation(life: Life, world: World, named: Named, shown: bool) -> Invocation:
    """One life against its three ledgers."""
    what = outcome(life, world)
    verdict = named.get(life.id, Verdict.HELD)
    waits = recoveries(life, world)
    odd = what is not Outcome.OK or verdict is not Verdict.HELD or lie(life)
    return Invocation(
        life.id,
        life.task,
        str(what),
        "" if verdict is Verdict.HELD else str(verdict),
        fault_of(life, world),
        point_of(life),
        len(life.attempts),
        round(max(waits), 4) if waits else None,
        broker_says(life),
        executed(life, world),
        plain(life.result or "not read"),
        lie(life),
        plain(tale(life, world))[:TALES] if odd else "",
        shown,
    )


def fault_of(life: Life, world: World) -> str:
    """The first fault that was meant for it; else what struck its worker."""
    if life.faults:
        return str(life.faults[0].detail.get("fault", ""))
    beside = struck_beside(life, world)
    return f"beside: {beside}" if beside else ""


def point_of(life: Life, fault: Event | None = None) -> str:
    """The crash point where the fault, or the first one, found it: as the fault tells, or where it was held then."""
    fault = fault or next(iter(life.faults), None)
    if fault is None:
        return ""
    if point := fault.detail.get("point"):
        return str(point)
    held = [each for each in life.holds if each.kind is Kind.HELD and each.at_ns <= fault.at_ns]
    return str(held[-1].detail.get("point", "")) if held else ""


def broker_says(life: Life) -> str:
    """ "delivered 2 times, acknowledged once, holds it no more"."""
    parts = ["refused it"] * (life.publish is Kind.PUBLISH_FAILED)
    parts += ["may have it"] * (life.publish is Kind.PUBLISH_IN_DOUBT)
    parts += [f"delivered {times(len(life.deliveries))}"] if life.deliveries else ["never delivered"]
    parts += [f"acknowledged {times(len(life.acks))}"] if life.acks else []
    parts += [f"given back {times(life.restored)}"] if life.restored else []
    if life.queued:
        parts.append(f"still in queue {life.queued}")
    elif life.unacked:
        parts.append("still unacknowledged")
    return plain(", ".join(parts))


def executed(life: Life, world: World) -> str:
    """ "2 attempts: killed, done"."""
    if not life.attempts:
        return "no attempt"
    return plain(f"{counted(len(life.attempts), 'attempt')}: {_few([_how(each, world) for each in life.attempts])}")


def _few(words: list[str]) -> str:
    return ", ".join(words[:4]) + (f" and {len(words) - 4} more" if len(words) > 4 else "")


def _how(attempt: Attempt, world: World) -> str:
    if killed(attempt, world):
        return "done, then killed" if attempt.done else "killed"
    if attempt.done:
        return "done"
    if attempt.raised:
        return "raised"
    return "ended" if attempt.ended_at is not None else "open"


def _bars(
    lives: Sequence[Life], reading: Reading, drawn: list[Lane], by_pid: dict[int, int]
) -> tuple[list[Lane], list[Bar], list[Arrow]]:
    """The bars of all lives, in the tracks of their lanes, and what connects those of one life."""
    world, base_ns = reading.world, reading.base_ns
    spans = []
    for number, life in enumerate(lives):
        for nth, attempt in enumerate(life.attempts, 1):
            end_ns = attempt.ended_at or world.dead.get(attempt.pid) or attempt.exited_at or reading.end_ns
            spans.append((attempt.started_at - base_ns, end_ns - base_ns, number, nth, attempt))
    by_lane: dict[int, list[int]] = {}
    for at in sorted(range(len(spans)), key=lambda at: spans[at][0]):
        by_lane.setdefault(by_pid.get(spans[at][4].pid, 0), []).append(at)
    tracks: dict[int, int] = {}
    for lane, members in by_lane.items():
        rows = packed(spans[at][:2] for at in members)
        tracks |= dict(zip(members, rows, strict=True))
        if lane < len(drawn):
            drawn[lane] = msgspec.structs.replace(drawn[lane], tracks=max(rows) + 1)
    bars = [
        Bar(life, by_pid.get(attempt.pid, 0), tracks[at], begin, end, _how(attempt, world), _name(nth, attempt, world))
        for at, (begin, end, life, nth, attempt) in enumerate(spans)
    ]
    arrows = [
        Arrow(at, at + 1, why)
        for at in range(len(spans) - 1)
        if spans[at][2] == spans[at + 1][2] and (why := _why(spans[at][4], spans[at + 1][4], world))
    ]
    return drawn, bars, arrows


def _why(attempt: Attempt, following: Attempt, world: World) -> str:
    if killed(attempt, world):
        return "killed"
    return "given back" if following.redelivered else "retry" if following.retries > attempt.retries else ""


def _name(nth: int, attempt: Attempt, world: World) -> str:
    notes = [f"attempt {nth}"]
    notes += [f"retry {attempt.retries}"] if attempt.retries else []
    notes += ["redelivered"] if attempt.redelivered else []
    how = _how(attempt, world)
    return plain(f"{', '.join(notes)}: {how}{f' {attempt.raised}' if how == 'raised' else ''}")


def _marks(reading: Reading, numbers: dict[str, int], by_pid: dict[int, int]) -> list[Mark]:
    healed: dict[tuple[str, str], list[int]] = {}
    for _, event in reading.events:
        if event.kind is Kind.FAULT_HEALED:
            healed.setdefault((event.worker, str(event.detail.get("fault"))), []).append(event.at_ns)
    marks = []
    for number, event in reading.events:
        if event.kind is not Kind.FAULT_LANDED:
            continue
        detail, fault = event.detail, str(event.detail.get("fault", ""))
        until = next((at for at in healed.get((event.worker, fault), []) if at >= event.at_ns), None)
        life = reading.lives.get(event.invocation)
        point = str(detail.get("point") or (point_of(life, event) if life else ""))
        signal = str(detail.get("signal") or "")
        told = ", ".join([fault] + [signal] * bool(signal and signal not in fault) + [f"at {point}"] * bool(point))
        marks.append(
            Mark(
                event.at_ns - reading.base_ns,
                -1 if until is None else until - reading.base_ns,
                fault,
                plain(told),
                signal in ("SIGKILL", "exit"),
                by_pid.get(detail.get("target", -1), -1),
                numbers.get(event.invocation, -1),
                number,
            )
        )
    return marks


def _lines(kept: Sequence[tuple[int, Event]], reading: Reading, numbers: dict[str, int], strings: Strings) -> Lines:
    lines = Lines()
    mains = {each.pid for each in reading.alive if each.role == "main"}
    for number, event in kept:
        lines.number.append(number)
        lines.at_ns.append(event.at_ns - reading.base_ns)
        lines.kind.append(strings.number(str(event.kind)))
        lines.pid.append(event.pid)
        lines.worker.append(strings.number(event.worker))
        lines.life.append(numbers.get(event.invocation, -1))
        lines.task.append(strings.number(event.task))
        lines.attempt.append(strings.number(event.attempt))
        lines.detail.append(strings.number(_detail(event)))
        lines.host.append(strings.number(event.host))
        lines.lane.append(strings.number(lane_of(event, mains)))
        lines.told.append(strings.number(sentence(event, event.invocation)))
        lines.around.append(1 if event.kind in AROUND else 2 if event.kind in FINAL and not event.invocation else 0)
    return lines


def _detail(event: Event) -> str:
    """As JSON; a task may have told anything."""
    told = _json(event.detail).decode() if event.detail else ""
    return told if len(told) <= DETAIL else f"{told[:DETAIL]} ... {len(told) - DETAIL} more characters"
