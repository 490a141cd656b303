"""All that the page shows, as one value. Data only: the template has no logic but loops."""

import msgspec


class Fact(msgspec.Struct, frozen=True):
    """A name and what it says."""

    name: str
    value: str


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A guarantee that is another one than before. `kind` in words; `tone` as of a cell."""

    tone: str
    kind: str
    what: str
    before: str = ""
    after: str = ""
    cause: str = ""
    place: str = ""
    rows: str = ""
    why: str = ""


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What changed since earlier runs, in a sentence and one by one. `more` of them are not shown."""

    tone: str
    said: str
    changes: list[Change] = []
    more: int = 0
    lists: list[tuple[str, list[str]]] = []


class Cause(msgspec.Struct, frozen=True):
    """A claim that does not hold: reports/causes.py in words."""

    setting: str
    place: str
    facts: list[Fact]


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One cell of a table. `tone`, told in words too: held, violated, allowed, unknown, known, plain or none."""

    text: str
    tone: str = "plain"
    title: str = ""
    scene: int = -1  # that it opens
    life: str = ""
    task: str = ""  # that it filters by, with the point
    point: str = ""


class Line(msgspec.Struct, frozen=True):
    """A row of a table: what it is about, and its cells."""

    name: str
    cells: list[Cell]


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """`left_out`: rows beyond those that are shown, and `left_columns`; `where` these are told."""

    title: str
    columns: list[str]
    lines: list[Line]
    left_out: int = 0
    left_columns: int = 0
    where: str = "in the run folder"


class Spread(msgspec.Struct, frozen=True):
    """Recovery times of one fault, seconds in production units, sorted; `before` are those of the run compared with."""

    fault: str
    times: list[float]
    before: list[float] = []
    median: float = 0.0
    median_before: float = 0.0


class Artefact(msgspec.Struct, frozen=True):
    """A file of the run folder; `path` is relative to it."""

    path: str
    what: str
    size: int


class Page(msgspec.Struct, kw_only=True):
    """One run. Everything is plain text: the template escapes it."""

    title: str
    app: str
    verdict: str
    symbol: str
    tally: str
    strip: list[Fact]
    commands: list[str]
    exit_said: str
    gate: Table | None = None
    gate_said: str = ""
    changes: Changes | None = None
    causes_title: str = ""
    causes: list[Cause] = []
    unknown: list[Fact] = []
    known: list[Fact] = []
    members: list[Fact] = []
    matrix: list[Table] = []
    meanings: list[str] = []
    ledgers_said: str = ""
    ledgers: Table | None = None
    points: Table | None = None
    faults: Table | None = None
    reached_said: str = ""
    spreads: list[Spread] = []
    base: str = ""
    mutants_said: str = ""
    mutants: Table | None = None
    lists: list[tuple[str, list[str]]] = []
    artefacts: list[Artefact] = []
    folder: str = ""
    left_out: list[str] = []
    dots: int = 400  # of the recovery times after one fault; of more, evenly chosen ones
    scenes: int = 0
    data: str = ""  # of the timelines
