"""Which process is in which lane of the timeline. Pure."""

from collections.abc import Iterable, Sequence

import msgspec

from assay.event import Event, Kind, told_pid
from assay.life import World
from assay.page.scene import Lane, Process

ROLES = ("main", "child")
OWN_LANES = 20  # with more processes than that, those that follow each other share one
STARTS = frozenset({Kind.WORKER_SPAWNED, Kind.WORKER_STARTED, Kind.WORKER_READY, Kind.CHILD_STARTED})


class Alive(msgspec.Struct):
    """A process of a worker, and when: monotonic nanoseconds."""

    pid: int
    worker: str
    role: str
    from_ns: int
    to_ns: int

    @property
    def name(self) -> str:
        return f"{self.worker} {self.role} {told_pid(self.pid)}"


class Starts:
    """The processes of a history, as their beginnings are told."""

    def __init__(self) -> None:
        self.found: dict[int, Alive] = {}

    def see(self, event: Event) -> None:
        if event.kind not in STARTS:
            return
        role = "child" if event.kind is Kind.CHILD_STARTED else "main"
        pid = event.detail.get("pid") or event.pid
        if pid not in self.found:
            self.found[pid] = Alive(pid, event.worker, role, event.at_ns, event.at_ns)

    def until(self, world: World, end_ns: int) -> list[Alive]:
        """Each until it was known to be gone, or the end; those too that ran attempts and told of no start."""
        for pid, child in world.children.items():
            if pid not in self.found:
                self.found[pid] = Alive(pid, world.started.get(pid, ""), "child", child.first_at, child.last_at)
        for each in self.found.values():
            each.to_ns = max(world.dead.get(each.pid, end_ns), each.from_ns)
        return sorted(self.found.values(), key=lambda each: (each.from_ns, each.pid))


Place = tuple[int, int, int]  # of its worker, of its role in ROLES, of itself


def lanes(alive: Sequence[Alive], base_ns: int) -> tuple[list[Lane], list[Process], dict[int, int]]:
    """The lanes from top to bottom, the processes in them, and {pid: lane}."""
    shared = len(alive) > OWN_LANES
    places = _shared(alive) if shared else _own(alive)
    numbers = {place: number for number, place in enumerate(sorted(set(places.values())))}
    by_pid = {pid: numbers[place] for pid, place in places.items()}
    names = {by_pid[each.pid]: (each.worker, f"{each.role} {told_pid(each.pid)}") for each in alive}
    if shared:
        names = {numbers[place]: (f"place {place[0] + 1}", ROLES[place[1]]) for place in numbers}
    drawn = [Lane(*names[number]) for number in range(len(numbers))]
    processes = [Process(by_pid[each.pid], each.from_ns - base_ns, each.to_ns - base_ns, each.name) for each in alive]
    return drawn, processes, by_pid


def _own(alive: Sequence[Alive]) -> dict[int, Place]:
    """Each process has a lane, the children below their main process."""
    workers = {name: number for number, name in enumerate(dict.fromkeys(each.worker for each in alive))}
    return {each.pid: (workers[each.worker], ROLES.index(each.role), number) for number, each in enumerate(alive)}


def _shared(alive: Sequence[Alive]) -> dict[int, Place]:
    """A worker takes the place of one that is gone, and a child that of one of the same place."""
    spans: dict[str, list[int]] = {}
    for each in alive:
        span = spans.setdefault(each.worker, [each.from_ns, each.to_ns])
        span[1] = max(span[1], each.to_ns)
    place_of = dict(zip(spans, packed(spans.values()), strict=True))
    places: dict[int, Place] = {}
    for place in set(place_of.values()):
        for number, role in enumerate(ROLES):
            here = [each for each in alive if place_of[each.worker] == place and each.role == role]
            rows = packed((each.from_ns, each.to_ns) for each in here)
            places |= {each.pid: (place, number, row) for each, row in zip(here, rows, strict=True)}
    return places


def packed(spans: Iterable[Sequence[int]]) -> list[int]:
    """For each span, which begin in their order, the first row that is free by then."""
    until: list[int] = []
    rows = []
    for begin, end in spans:
        row = next((number for number, free_ns in enumerate(until) if free_ns <= begin), len(until))
        until[row : row + 1] = [end]
        rows.append(row)
    return rows
