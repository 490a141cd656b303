"""Rule: a pure function from what is known of an app, before anything is run, to what it finds. `rules/` holds them.

@rule(Kind.DEAD)
def limits_of_the_pool(view: View) -> Iterator[Found]:
    \"\"\"Limits that this pool cannot enforce.\"\"\"
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from assay.audit.finding import Change, Finding, Kind
from assay.audit.written import Written
from assay.counted import counted, listed
from assay.subject import Subject, Task

SHOWN = 3


@dataclass(frozen=True)
class View:
    """`pool` is the one that the app's workers have, `queues` what they are given by -Q; empty: nothing."""

    subject: Subject
    written: Written
    pool: str
    queues: tuple[str, ...] = ()

    def on(self, key: str) -> bool:
        """Whether the app has switched this setting on."""
        found = self.subject.setting(key)
        return found is not None and bool(found.value)

    def consumed(self) -> set[str]:
        """The queues that the app's workers take messages from."""
        named = set(self.queues or self.subject.queues)
        aliases = self.written.queue_aliases
        return named | {aliases[name] for name in named & aliases.keys()}


@dataclass(frozen=True)
class Found:
    """What a rule says; its name and kind are added. Without `title` it is that of the first setting."""

    settings: Sequence[str]
    observed: str
    remedy: str = ""
    changes: Sequence[Change] = ()
    tasks: Sequence[Task] = ()
    place: str = ""
    title: str = ""
    kind: Kind | None = None  # where it is not the rule's own


Rule = Callable[[View], Iterator[Found]]


@dataclass(frozen=True)
class Registered:
    name: str
    kind: Kind
    doc: str
    look: Rule


_registry: dict[str, Registered] = {}


def rule(kind: Kind) -> Callable[[Rule], Rule]:
    """Register a rule. Its name is the function's, its line in `assay list rules` the docstring's first."""

    def register(look: Rule) -> Rule:
        name = look.__name__
        _registry[name] = Registered(name, kind, (look.__doc__ or "").strip().splitlines()[0], look)
        return look

    return register


def rules() -> dict[str, Registered]:
    """All of them by name, the worst kinds first."""
    package = importlib.import_module("assay.audit.rules")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"assay.audit.rules.{module.name}")
    return dict(sorted(_registry.items(), key=lambda item: (item[1].kind.rank, item[0])))


def registry() -> dict[str, str]:
    """{name: one line about it}, for `assay list rules`."""
    return {name: f"{each.kind}: {each.doc}" for name, each in rules().items()}


def look(view: View) -> list[Finding]:
    """What all rules find, the worst first."""
    found = [_finding(each, found, view) for each in rules().values() for found in each.look(view)]
    return sorted(found, key=lambda finding: finding.kind.rank)


def names(tasks: Sequence[Task], one: str = "", more: str = "") -> str:
    """ "a", or "3 tasks (a, b and 1 more)", with the verb that fits: `one` of a single task, `more` of several."""
    told = [task.name for task in tasks]
    if len(told) == 1:
        return f"{told[0]} {one}".rstrip()
    return f"{counted(len(told), 'task')} ({listed(told, SHOWN)}) {more}".rstrip()


def _finding(by: Registered, found: Found, view: View) -> Finding:
    subject, first = view.subject, next(iter(found.settings), "")
    place = found.place or next((place for key in found.settings if (place := subject.place(key))), "")
    return Finding(
        rule=by.name,
        kind=found.kind or by.kind,
        settings=tuple(found.settings),
        title=found.title or subject.claim(first),
        observed=found.observed,
        remedy=subject.worded(found.remedy),
        place=place or next((task.place for task in found.tasks), ""),
        changes=tuple(found.changes),
        tasks=tuple(task.name for task in found.tasks),
    )
