"""An audit for a person at a terminal: what was found, the worst first, then every setting and what became of it."""

from collections import Counter
from collections.abc import Iterator

import msgspec
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from assay.audit.finding import Change, Finding, Kind
from assay.audit.states import State
from assay.audit.told import Audit
from assay.counted import counted
from assay.reports.findings import facts, title
from assay.reports.printed import printed
from assay.reports.words import plain

STYLES = {
    Kind.BROKEN: "bold red",
    Kind.DEAD: "bold red",
    Kind.RISK: "yellow",
    State.DISPROVED: "bold red",
    State.DEAD: "bold red",
    State.UNKNOWN: "yellow",
    State.PROVED: "green",
    State.UNTRIED: "dim",
    State.UNPROVABLE: "dim",
    State.NO_CLAIM: "dim",
}
_BY = (0, 0, 0, 2)
SHOWN = 56  # characters of a setting and its value
HEADINGS = {
    Kind.BROKEN: "What cannot come true",
    Kind.DEAD: "What nothing reads, or does nothing here",
    Kind.RISK: "Risks, which break no promise of a setting",
}


def render(audit: Audit, *, width: int, color: bool, ascii_only: bool = False) -> str:
    """The whole audit as text of `width` columns, with ANSI codes only where `color` is asked for."""
    return printed(_parts(audit), width=width, color=color, ascii_only=ascii_only)


def json(audit: Audit) -> str:
    """As it is written to a file."""
    return msgspec.json.format(msgspec.json.encode(audit), indent=2).decode() + "\n"


def tally(audit: Audit) -> str:
    """ "2 broken, 1 dead, 3 risks; 1 accepted"."""
    counts = Counter(each.kind for each in audit.findings if not each.accepted)
    told = [f"{counts[kind]} {kind}" for kind in (Kind.BROKEN, Kind.DEAD) if counts[kind]]
    told += [counted(counts[Kind.RISK], "risk")] * bool(counts[Kind.RISK])
    accepted = sum(bool(each.accepted) for each in audit.findings)
    return (", ".join(told) or "nothing found") + (f"; {accepted} accepted" if accepted else "")


def _parts(audit: Audit) -> Iterator[RenderableType]:
    for kind, heading in HEADINGS.items():
        found = [each for each in audit.findings if each.kind is kind and not each.accepted]
        if found:
            yield title(f"{heading} ({len(found)})")
        for each in found:
            yield from _finding(each)
    if accepted := [each for each in audit.findings if each.accepted]:
        yield title(f"Accepted ({len(accepted)}), which does not turn the exit code", "bold magenta")
        for each in accepted:
            yield Padding(Text.assemble((plain(each.title), "bold"), f"  {each.rule}: {plain(each.accepted)}"), _BY)
    if audit.not_seen:
        yield title("Known findings that are of no use any more")
        yield from (Padding(Text(plain(each)), _BY) for each in audit.not_seen)
    if audit.patch:
        yield title("A patch for these (git apply, patch -p1)")
        yield Text(audit.patch.rstrip("\n"), "cyan", overflow="ignore", no_wrap=True)
    if audit.by_hand:
        yield title("To be changed by hand")
        yield from (Padding(Text(_change(each)), _BY) for each in audit.by_hand)
    if audit.entries or audit.defaults:
        yield title("Settings")
        yield Padding(_table(audit), _BY)
    yield Text("")
    yield _last(audit)


def _finding(each: Finding) -> Iterator[RenderableType]:
    yield Text("")
    yield Padding(Text.assemble((plain(each.title), STYLES[each.kind]), (f"  {each.place}", "cyan")), _BY)
    told = [("rule", each.rule), ("observed", each.observed), ("remedy", each.remedy)]
    yield Padding(facts(*[(name, plain(value)) for name, value in told]), (0, 0, 0, 4))


def _change(change: Change) -> str:
    return f"{change.setting} = {change.value}" if change.value else f"take {change.setting} out"


def _table(audit: Audit) -> Table:
    """The worst states first; of what makes no claim the names alone."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    claiming = [entry for entry in audit.entries if entry.state is not State.NO_CLAIM]
    for entry in sorted(claiming, key=lambda entry: list(State).index(entry.state)):
        head = Text.assemble((_short(plain(entry.setting)), "bold"), (f"  {entry.place}", "cyan"))
        table.add_row(Text(str(entry.state), STYLES[entry.state]), head)
        told = "; ".join(part for part in (entry.promise, entry.why) if part)
        table.add_row("", Text(plain(told)))
    if silent := [entry.key for entry in audit.entries if entry.state is State.NO_CLAIM]:
        table.add_row(Text(str(State.NO_CLAIM), "dim"), Text(", ".join(silent), "dim"))
    if audit.defaults:
        told = ", ".join(f"{key}={value}" for key, value in audit.defaults.items())
        table.add_row(Text("default", "dim"), Text(plain(told), "dim"))
    return table


def _short(setting: str) -> str:
    return setting if len(setting) <= SHOWN else setting[: SHOWN - 3] + "..."


def _last(audit: Audit) -> Text:
    """What turned the exit code is said."""
    ran = {0: "every scenario held", 1: "a scenario broke a promise"}.get(
        audit.run_exit_code, "not all could be judged"
    )
    how = ran if audit.ran else "nothing was run"
    line = Text.assemble((tally(audit), "bold"), f"; {counted(len(audit.entries), 'setting')}; {how}")
    return line.append(f"; exit code {audit.exit_code}")
