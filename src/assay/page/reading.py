"""One history read for the page: all of it where it is small; else what went wrong, and what was around that."""

from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from zlib import crc32

import msgspec

from assay.checkers.delivery import outcome
from assay.checkers.ledgers import lie
from assay.event import Event, Kind
from assay.fold import fold
from assay.life import Life, World
from assay.page.lanes import Alive, Starts
from assay.story import AROUND, FINAL
from assay.verdict import Verdict

#: of no invocation, and worth a line even where most is left out
KEPT = AROUND | FINAL | {Kind.CHILD_STARTED, Kind.CHILD_STOPPING}
#: of the room, for lives that went plainly, evenly chosen: a worker that had nothing else to do would look idle
PLAIN = 0.7
SMALL = 2000  # events of a history that is read once, though not all of them are kept
Named = Mapping[str, Verdict]  # invocation -> the worst verdict of a judgement that names it


class Reading(msgspec.Struct, kw_only=True):
    """`events` have their numbers in the whole history; `total` is how many that has."""

    folder: Path
    lives: dict[str, Life]
    world: World
    alive: list[Alive]
    events: list[tuple[int, Event]]
    total: int
    base_ns: int
    end_ns: int


def read(folder: Path, history: Iterable[Event], most: int, named: Named) -> Reading:
    """At most `most` events are held, those of the worst lives first. `history` is iterated again where it has more.

    Raises UsageError for what is damaged.
    """
    starts = Starts()
    held = max(most, SMALL)
    events = list(islice(history, held + 1))
    if len(events) <= held:
        lives, world = fold(events)
        kept, total = list(enumerate(events)), len(events)
        if total > most:
            kept = worst(kept, {life.id: number for number, life in enumerate(worst_first(lives, world, named))}, most)
        base_ns, end_ns = (events[0].at_ns, events[-1].at_ns) if events else (0, 0)
        for event in events:
            starts.see(event)
        return Reading(
            folder=folder,
            lives=lives,
            world=world,
            alive=starts.until(world, end_ns),
            events=kept,
            total=total,
            base_ns=base_ns,
            end_ns=end_ns,
        )
    del events
    total = sum(1 for _ in history)
    share = PLAIN * most / total
    lives, world = fold(history, [lambda life: crc32(life.id.encode()) >= share * 2**32], named)
    base_ns = end_ns = 0
    wanted = {life.id: number for number, life in enumerate(worst_first(lives, world, named))}
    found: list[tuple[int, int, Event]] = []
    for number, event in enumerate(history):
        end_ns, base_ns = event.at_ns, base_ns or event.at_ns
        starts.see(event)
        if event.invocation in wanted:
            found.append((wanted[event.invocation], number, event))
        elif not event.invocation and event.kind in KEPT:
            found.append((-1, number, event))
        if len(found) > 2 * most:
            found = cut(found, most)
    found = cut(found, most)
    return Reading(
        folder=folder,
        lives=lives,
        world=world,
        alive=starts.until(world, end_ns),
        events=sorted(((number, event) for _, number, event in found), key=lambda each: each[0]),
        total=total,
        base_ns=base_ns,
        end_ns=end_ns,
    )


def worst(events: list[tuple[int, Event]], rank: Mapping[str, int], most: int) -> list[tuple[int, Event]]:
    """At most so many of these, in their order: what is of no invocation, then whole lives by their rank."""
    ranks = {**rank, "": -1}
    order = [(ranks.get(event.invocation, len(rank)), number, event) for number, event in events]
    return sorted(((number, event) for _, number, event in cut(order, most)), key=lambda each: each[0])


def cut(found: list[tuple[int, int, Event]], most: int) -> list[tuple[int, int, Event]]:
    """Whole lives, the first ones of their order."""
    found = sorted(found, key=lambda each: each[:2])
    if len(found) <= most:
        return found
    last = found[most][0]
    return [each for each in found[:most] if each[0] != last or last < 0]


def worst_first(lives: Mapping[str, Life], world: World, named: Named) -> list[Life]:
    """As a person looks for them: named by a verdict, ledgers that disagree, a bad outcome, struck, the rest."""
    mine = filter(real, lives.values())
    return sorted(mine, key=lambda life: trouble(life, world, named), reverse=True)


def real(life: Life) -> bool:
    """An invocation that somebody made. There are others ids: of the parts of a canvas that were never due, say."""
    return bool(life.publish or life.deliveries or life.attempts or life.sent)


def trouble(life: Life, world: World, named: Named) -> tuple[int, bool, int, bool]:
    """Greater is worse."""
    verdict = named.get(life.id, Verdict.HELD)
    return verdict.rank, bool(lie(life)), outcome(life, world).rank, bool(life.faults or life.lost)
