"""Which suites, scenarios and tasks a run is about: patterns from the command line and from the settings."""

import difflib
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

import msgspec

from assay.counted import listed
from assay.errors import UsageError

NEAR, SURE = 0.5, 0.8  # how alike a name must be as a whole, and by its beginning alone
BEGINS, SHORTEST = 0.95, 4  # what a beginning counts for, and in how long a word


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Patterns as of fnmatch, case counts. An empty tuple means all."""

    suites: tuple[str, ...] = ()  # over suite names
    tasks: tuple[str, ...] = ()  # over task names
    scenarios: tuple[str, ...] = ()  # over "suite.scenario"; a pattern without a dot is about the scenario's own name

    @property
    def given(self) -> dict[str, list[str]]:
        """{what: patterns}, of those aspects that something was chosen by."""
        return {key: list(patterns) for key, patterns in msgspec.structs.asdict(self).items() if patterns}

    def pick_scenarios(self, names: Iterable[str]) -> list[str]:
        """The wanted ones among the "suite.scenario" names, in their order. UsageError where a pattern fits none."""
        names = list(names)
        suites = list(dict.fromkeys(name.partition(".")[0] for name in names))
        wanted_suites = set(_pick(suites, self.suites, "suite"))
        inside = [name for name in names if name.partition(".")[0] in wanted_suites]
        for pattern in self.scenarios:
            if not any(fits(name, pattern) for name in inside) and any(fits(name, pattern) for name in names):
                raise UsageError(
                    f"scenario {pattern} is in no suite that was chosen: {', '.join(sorted(wanted_suites))}"
                )
        return _pick(inside, self.scenarios, "scenario")

    def pick_tasks(self, names: Iterable[str]) -> list[str]:
        """The wanted ones among the task names, in their order. UsageError where a pattern fits none."""
        return _pick(list(names), self.tasks, "task")


def nearest(word: str, names: Iterable[str]) -> str:
    """ "; did you mean ...?", or nothing where no name is near."""
    near = _nearest(word, list(names))
    return f"; did you mean {near}?" if near else ""


def _nearest(word: str, names: Sequence[str]) -> str:
    """A name that is near as a whole, or begins nearly so: the rest of a long one is easily left out."""
    scored = [(max(whole := _ratio(word, name), BEGINS * _begins(word, name)), whole, name) for name in names]
    best = max(scored, default=(0.0, 0.0, ""))
    return best[2] if best[0] >= NEAR else ""


def _ratio(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, other, one).ratio()


def _begins(word: str, name: str) -> float:
    if len(word) < SHORTEST or len(name) <= len(word):
        return 0.0
    near = max(_ratio(word, name[: len(word) + more]) for more in (0, 1))
    return near if near >= SURE else 0.0


def _pick(names: list[str], patterns: Sequence[str], what: str) -> list[str]:
    if not patterns:
        return names
    for pattern in patterns:
        if not any(fits(name, pattern) for name in names):
            raise UsageError(_nothing_matches(pattern, names, what))
    return [name for name in names if any(fits(name, pattern) for pattern in patterns)]


def fits(name: str, pattern: str) -> bool:
    """Whether it is the name, whatever signs are in that, or a pattern of it or of its last word."""
    if name == pattern or fnmatchcase(name, pattern):
        return True
    last = name.rpartition(".")[2]
    return "." not in pattern and (last == pattern or fnmatchcase(last, pattern))


def _nothing_matches(pattern: str, names: list[str], what: str) -> str:
    candidates = names if "." in pattern else [*names, *(name.rpartition(".")[2] for name in names)]
    if near := _nearest(pattern, candidates):
        return f"no {what} is named {pattern}; did you mean {_family(pattern, near, candidates)}?"
    if not names:
        return f"no {what} is named {pattern}: there is none"
    return f"no {what} is named {pattern}; there are {listed(names, 11 if len(names) < 12 else 8)}"


def _family(pattern: str, near: str, names: Sequence[str]) -> str:
    """A pattern of all that begin as the near one does, where it goes on after as many words; else that one."""
    words = near.split("_")
    stem = "_".join(words[: len(pattern.split("_"))]) + "_"
    alike = [name for name in names if name.startswith(stem)]
    return f"{stem}*" if near in alike and len(alike) > 1 else near
