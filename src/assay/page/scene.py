"""What the page shows of one history: lanes, bars, marks, arrows, invocations and the events themselves. Data only.

Times are nanoseconds after the scene's `base_ns`. All are written as arrays: there are thousands of each.
"""

import msgspec


class Lane(msgspec.Struct, frozen=True, array_like=True):
    """One line of the timeline: a process, or the processes that followed each other in one place."""

    worker: str  # "w1", or "workers, 2nd place" where several followed each other
    role: str  # main, child
    tracks: int = 1  # attempts at the same time, in a process with threads


class Process(msgspec.Struct, frozen=True, array_like=True):
    """One process, while it was alive."""

    lane: int
    from_ns: int
    to_ns: int
    name: str  # "w1 child 4711"


class Bar(msgspec.Struct, frozen=True, array_like=True):
    """One attempt. `how` is done, killed, "done, then killed", raised, ended or open."""

    life: int
    lane: int
    track: int
    from_ns: int
    to_ns: int
    how: str
    name: str  # "attempt 2, redelivered: done"


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """A fault that landed: drawn over all lanes. `event` is its line's number; `life` -1: it was meant for none."""

    at_ns: int
    until_ns: int  # when it was healed; -1: it was not
    fault: str
    told: str  # with signal and crash point
    kills: bool
    lane: int
    life: int
    event: int


class Arrow(msgspec.Struct, frozen=True, array_like=True):
    """From an attempt to the next of its invocation, as positions among the bars. `why`: killed, given back, retry."""

    source: int
    target: int
    why: str


class Invocation(msgspec.Struct, frozen=True, array_like=True):
    """One life in a line. `verdict` is that of the judgements which name it; "" where none does, or where it held."""

    id: str
    task: str
    outcome: str
    verdict: str
    fault: str  # that was meant for it, or "beside: " that of its worker
    point: str
    attempts: int
    recovery_s: float | None
    broker: str
    executed: str
    result: str
    lie: str  # which ledger lies, and how; "" where they agree
    tale: str  # its life in a sentence, where it was no plain one
    shown: bool = True  # its events are in the page


class Lines(msgspec.Struct):
    """The events as columns. Where they are strings, numbers in the page's table of strings.

    `number`: of the event in its history, from 0, which its anchor is made of; `life` is -1 for what is of no
    invocation.
    """

    number: list[int] = []
    at_ns: list[int] = []
    kind: list[int] = []
    pid: list[int] = []
    worker: list[int] = []
    life: list[int] = []
    task: list[int] = []
    attempt: list[int] = []
    detail: list[int] = []
    host: list[int] = []
    lane: list[int] = []  # as it is told: "w1 child 4711"
    told: list[int] = []
    around: list[int] = []  # 1: decides the fate of other invocations too; 2: of those whose ids it has


class Scene(msgspec.Struct, kw_only=True):
    """One history, as the page shows it. `base_ns` is a string: a browser's numbers do not hold all of it."""

    name: str
    task: str
    folder: str
    verdict: str
    word: str
    base_ns: str
    span_ns: int
    lanes: list[Lane]
    processes: list[Process]
    bars: list[Bar]
    marks: list[Mark]
    arrows: list[Arrow]
    lives: list[Invocation]
    lines: Lines
    plain: int = 0  # invocations that went plainly, and are only counted
    events: int = 0  # of the history; more than the lines where some were left out
