"""Charts as plain SVG, drawn on the server: no script, and colours come from classes, so dark mode needs no second one.

Every chart has a text alternative, and failure is hatched, so nothing depends on telling colours apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

HATCHED = SafeString('fill="url(#hatch)"')  # the pattern is in the page frame, _icons.html
KINDS = {kind: SafeString(f'class="{kind}"') for kind in ("good", "bad", "other")}


@dataclass(frozen=True)
class Bar:
    label: str  # shown under the bar when not empty
    title: str  # the tooltip and text alternative of the bar
    good: int
    bad: int
    other: int


def bars(series: Sequence[Bar], title: str, *, width: int = 720, height: int = 150) -> SafeString:
    """Stacked bars, one for each entry: good below, then bad (hatched), then the rest."""
    left, right, bottom, top = 28, 14, 20, 8  # room for the figures, and for the last label
    most = max([bar.good + bar.bad + bar.other for bar in series] + [1])
    step = (width - left - right) / max(1, len(series))
    scale = (height - bottom - top) / most
    parts = []
    for index, bar in enumerate(series):
        x, y = left + index * step + step * 0.15, float(height - bottom)
        rects: list[tuple[SafeString, float, float, float, float]] = []
        for kind, count in (("good", bar.good), ("bad", bar.bad), ("other", bar.other)):
            if count:
                tall = count * scale
                y -= tall
                place = (round(x, 1), round(y, 1), round(step * 0.7, 1), round(max(tall, 1.0), 1))
                rects.append((KINDS[kind], *place))
                if kind == "bad":
                    rects.append((HATCHED, *place))
        drawn = format_html_join("", '<rect {} x="{}" y="{}" width="{}" height="{}"/>', rects)
        parts.append(format_html("<g><title>{}</title>{}{}</g>", bar.title, drawn, _under(bar, x, step, height)))
    return format_html(
        '<svg class="chart hours" viewBox="0 0 {w} {h}" role="img" aria-label="{title}">'
        '<line class="axis" x1="{left}" y1="{base}" x2="{w}" y2="{base}"/>'
        '<line class="axis" x1="{left}" y1="{top}" x2="{w}" y2="{top}"/>'
        '<text x="{tx}" y="{ty}" text-anchor="end">{most}</text>'
        '<text x="{tx}" y="{base}" text-anchor="end">0</text>{parts}</svg>',
        w=width, h=height, title=title, left=left, base=height - bottom, top=top, tx=left - 6,
        ty=top + 8, most=most, parts=format_html_join("", "{}", ((part,) for part in parts)),
    )  # fmt: skip


def _under(bar: Bar, x: float, step: float, height: int) -> SafeString:
    if not bar.label:
        return SafeString("")
    middle = round(x + step * 0.35, 1)
    return format_html('<text x="{}" y="{}" text-anchor="middle">{}</text>', middle, height - 5, bar.label)


def rate(share: float, title: str) -> SafeString:
    """One bar for a share between 0 and 1; what is missing to 1 is hatched."""
    full = round(100 * max(0.0, min(1.0, share)), 1)
    lost = round(100 - full, 1)
    gap = format_html(
        '<rect class="bad" x="{x}" y="0" width="{w}" height="8"/><rect {hatched} x="{x}" y="0" width="{w}" '
        'height="8"/>',
        x=full, w=lost, hatched=HATCHED,
    ) if lost else SafeString("")  # fmt: skip
    return format_html(
        '<svg class="chart rate" viewBox="0 0 100 8" role="img" aria-label="{}">'
        '<rect class="good" x="0" y="0" width="{}" height="8"/>{}</svg>',
        title, full, gap,
    )  # fmt: skip


def spark(values: Sequence[float], title: str, *, width: int = 120, height: int = 24) -> SafeString:
    """The course of some durations, oldest first; the scale starts at zero, so twice as tall is twice as long."""
    if len(values) < 2:
        return SafeString("")
    most = max([*values, 1e-9])
    step = (width - 4) / (len(values) - 1)
    points = [(2 + index * step, height - 3 - (height - 6) * value / most) for index, value in enumerate(values)]
    path = "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return format_html(
        '<svg class="chart spark" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<path class="trend" d="{}"/><circle class="good" cx="{}" cy="{}" r="2.2"/></svg>',
        width, height, title, path, round(points[-1][0], 1), round(points[-1][1], 1),
    )  # fmt: skip
