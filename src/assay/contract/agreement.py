"""Which contract each task has: from the team's configuration and from the app itself, the most specific first.

An entry of the configuration is a pattern over task names, and the more of a name it spells the more specific it is; a
class that tasks are built on is more specific than any pattern, a task itself as specific as its whole name. Where two
are equally specific they must agree.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import msgspec

from assay.contract.terms import PARTS, Declared, Entry, Terms, clash, read, value
from assay.errors import UsageError
from assay.selection import Selection, fits
from assay.settings import Settings
from assay.subject import Subject, Task


class Said(NamedTuple):
    """Terms of one task; the greater `rank` is the more specific."""

    rank: tuple[bool, int]
    terms: Terms
    place: str


def hold_to(subject: Subject, settings: Settings) -> None:
    """Give each task of the app its contract. Raises UsageError for one that names no task or contradicts itself."""
    subject.demanded, subject.demanded_at = settings.delivery, settings.demanded_at
    subject.tasks = agreed(subject.tasks, settings.contract, subject.declared)
    for task in subject.tasks:
        _must_suit(task, settings)


def agreed(tasks: Sequence[Task], entries: Sequence[Entry], declared: Sequence[Declared]) -> list[Task]:
    """The tasks with what all entries and declarations say of them together."""
    names = [task.name for task in tasks]
    for entry in entries:
        for pattern in entry.tasks:
            _must_name_one(pattern, names, entry.place)
    own: dict[str, list[Said]] = {}
    for each in declared:
        if not each.task and each.inherited:  # tasks of another app may be built on that class
            continue
        if not each.task:
            raise UsageError(f"{each.place}: {each.how} is at what no task of the app is made of: put it at a task")
        where = f"{each.place}: {each.how} of {each.task}"
        said = Said((True, 0) if each.inherited else rank(each.task, each.task), read(each.values, where), each.place)
        own.setdefault(each.task, []).append(said)
    return [_held(task, [*_fitting(task.name, entries), *own.get(task.name, ())]) for task in tasks]


def rank(pattern: str, name: str) -> tuple[bool, int]:
    """Of what fits the name: whether it is one itself, and how many of its characters must be as they are."""
    if pattern == name:  # which may have the signs of a pattern in it
        return True, len(name)
    literal = re.sub(r"\[.[^]]*\]|[*?]", "", pattern)
    return literal == pattern, len(literal)


def _must_name_one(pattern: str, names: list[str], place: str) -> None:
    try:
        Selection(tasks=(pattern,)).pick_tasks(names)
    except UsageError as error:
        raise UsageError(f"{place}: contract: {error}") from None


def _fitting(name: str, entries: Sequence[Entry]) -> Iterator[Said]:
    for entry in entries:
        ranks = [rank(pattern, name) for pattern in entry.tasks if fits(name, pattern)]
        if ranks:
            yield Said(max(ranks), entry.terms, entry.place)


def _held(task: Task, said: list[Said]) -> Task:
    terms: dict[str, object] = {}
    placed: dict[str, Said] = {}
    for _, equals in groupby(sorted(said, key=lambda each: each.rank), key=lambda each: each.rank):
        new: dict[str, Said] = {}
        for each in equals:
            for part in PARTS:
                if getattr(each.terms, part) is None:
                    continue
                if part in new:
                    _must_agree(task, part, new[part], each)
                new[part] = each
                terms[part] = getattr(each.terms, part)
        placed |= new
    while found := clash(Terms(**terms)):  # type: ignore[arg-type]
        one, other = sorted((found.one, found.other), key=lambda part: placed[part].rank)
        if placed[one].rank == placed[other].rank or one == "delivery":
            both = Terms(**terms)  # type: ignore[arg-type]
            raise UsageError(
                f"{_places(placed[one], placed[other])}: the contract of {task.name} contradicts itself: "
                f"{found.one}={value(both, found.one)} and {found.other}={value(both, found.other)}: {found.why}"
            )
        del terms[one], placed[one]
    where = {part: each.place for part, each in placed.items()}
    return msgspec.structs.replace(task, contract=Terms(**terms), contract_at=where)  # type: ignore[arg-type]


def _must_agree(task: Task, part: str, one: Said, other: Said) -> None:
    if getattr(one.terms, part) != getattr(other.terms, part):
        raise UsageError(
            f"{_places(one, other)}: the contract of {task.name} contradicts itself: "
            f"{part} is {value(one.terms, part)} and {value(other.terms, part)}, and neither is more specific"
        )


def _places(one: Said, other: Said) -> str:
    return " and ".join(dict.fromkeys(filter(None, (one.place, other.place)))) or "contract"


def _must_suit(task: Task, settings: Settings) -> None:
    """What the key `delivery` says of all tasks is a part of the contract of one that says nothing of it."""
    if settings.delivery == "inferred" or task.contract.delivery:
        return
    whole = msgspec.structs.replace(task.contract, delivery=settings.delivery)
    if found := clash(whole):
        part = found.other
        raise UsageError(
            f"{task.contract_at[part]}: the contract of {task.name} contradicts delivery = "
            f'"{settings.delivery}", which is for all tasks: {part}={value(whole, part)}: {found.why}; '
            "say its own delivery there too"
        )
