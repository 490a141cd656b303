"""What a blame has found, for a person: the row as it is, each change beside those before it, and the patch."""

from collections.abc import Iterator, Sequence

import msgspec
from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from assay.blame.found import Blame, Found, Tried
from assay.counted import counted
from assay.reports.findings import title
from assay.reports.printed import printed
from assay.reports.words import became, plain
from assay.verdict import Verdict

SHOWN = 300  # characters of a reason
_BY, _DEEP = (0, 0, 0, 2), (0, 0, 0, 4)


def render(found: Found, *, width: int, color: bool, ascii_only: bool = False) -> str:
    """The whole report as text of `width` columns, with ANSI codes only where `color` is asked for."""
    return printed(_all(found), width=width, color=color, ascii_only=ascii_only)


def _all(found: Found) -> Iterator[RenderableType]:
    for each in found.groups:
        yield from _parts(each)
    if found.patch:
        yield title("A patch for these (git apply, patch -p1)")
        yield Text(found.patch.rstrip("\n"), "cyan", overflow="ignore", no_wrap=True)
    if found.by_hand:
        yield title("To be written by hand")
        yield from (Padding(Text(str(flip)), _BY) for flip in found.by_hand)
    mended = sum(each.mends is not None for each in found.groups)
    yield Text(f"\n{mended} of {counted(len(found.groups), 'broken claim')} mended by a change of settings", "bold")


def json(found: Found) -> str:
    """As it is written to a file."""
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n"


def _parts(each: Blame) -> Iterator[RenderableType]:
    row = each.row
    yield title(f"{row.suite}.{row.scenario} {row.task}")
    yield Padding(Text.assemble(("as it is  ", "dim"), _said(became(row), each.again.reason)), _BY)
    if each.others:
        yield Padding(Text(f"and {', '.join(each.others)}", "dim"), _BY)
    if each.mends is None:
        what = f"none of {len(each.tried)} changes that were tried mends it" if each.tried else "no setting is known to"
        yield Padding(Text(f"{what}: {_names(each.tried)}" if each.tried else what, "yellow"), _BY)
        if row.remedy:
            yield Padding(Text(plain(f"the run's remedy, not tried here: {row.remedy}")), _BY)
        return
    for number, tried in enumerate(each.path):
        beside = " as well" if number else ""
        yield Padding(Text.assemble(f"with {tried.flips[-1]}{beside}: ", _became(tried)), _BY)
    if each.breaks:
        price = f"at a price: {each.breaks} held, and does not with it; nothing was found that mends these alone"
        yield Padding(Text(price, "yellow"), _BY)


def _became(tried: Tried) -> Text:
    if tried.verdict is Verdict.HELD:
        took = f" in {tried.recovery_s:.3g} s" if tried.recovery_s is not None else ""
        return Text(f"{tried.outcome}{took}, all hold", "green")
    if tried.verdict is Verdict.UNKNOWN:
        return Text(f"not judged: {_shortened(tried.said)}", "yellow")
    return Text(f"still {tried.outcome} ({tried.scenario})", "red")


def _said(outcome: str, reason: str) -> Text:
    return Text.assemble((f"{outcome}: ", "red"), plain(_shortened(reason)))


def _names(tried: Sequence[Tried]) -> str:
    return "; ".join(dict.fromkeys(str(each.flips[0]) for each in tried if len(each.flips) == 1))


def _shortened(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
