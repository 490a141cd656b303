"""The course of one guarantee as plain SVG: a mark for each run, told apart by its shape; colours only repeat it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from .models import Verdict

STEP = 16
#: of a run, in a square of STEP: a tick, a cross on a filled square, a question mark in a ring, a dash
SHAPES = {
    Verdict.HELD: SafeString('<path class="line" d="M3.5 8.5l3 3 6-7"/>'),
    Verdict.VIOLATED: SafeString(
        '<rect class="body" x="1.5" y="1.5" width="13" height="13" rx="2"/><path class="on" d="M5 5l6 6M11 5l-6 6"/>'
    ),
    Verdict.UNKNOWN: SafeString(
        '<circle class="line" cx="8" cy="8" r="6.2"/><circle class="dot" cx="8" cy="11.6" r=".9"/>'
        '<path class="line" d="M6.2 6.6a1.8 1.8 0 1 1 2.6 1.6q-.8.4-.8 1.3"/>'
    ),
    None: SafeString('<path class="line" d="M5 8h6"/>'),
}


def marks(verdicts: Sequence[str | None], titles: Sequence[str]) -> SafeString:
    """One for each verdict, None where nothing was run; `titles` are what pointing at it says."""
    drawn = [
        (index * STEP, verdict or "none", title, SHAPES[Verdict(verdict) if verdict else None])
        for index, (verdict, title) in enumerate(zip(verdicts, titles, strict=True))
    ]
    cells = format_html_join("", '<g transform="translate({} 0)" class="mark {}"><title>{}</title>{}</g>', drawn)
    width = STEP * len(drawn)
    return format_html(
        '<svg class="marks" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" aria-label="{label}">'
        "{cells}</svg>",
        w=width, h=STEP, label=in_words(verdicts), cells=cells,
    )  # fmt: skip


def word(verdict: str | None) -> str:
    return str(Verdict(verdict).label) if verdict else _("Not run")


def in_words(verdicts: Sequence[str | None]) -> str:
    """ "Held × 4, Violated × 2", oldest first."""
    runs = [(verdict, len(list(same))) for verdict, same in groupby(verdicts)]
    return ", ".join(f"{word(verdict)} × {number}" for verdict, number in runs)
