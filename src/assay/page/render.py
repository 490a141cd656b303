"""The page as one HTML file: no request, no foreign script, below a limit in size."""

import base64
import hashlib
import os
from functools import cache
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from msgspec.structs import replace

from assay.page.compose import filled
from assay.page.gather import Found
from assay.page.packing import packed
from assay.page.recovering import thinned
from assay.page.shortening import STEPS, cells, shortened
from assay.page.shown import Page

LIMIT = 1_950_000  # bytes; 2 MB are promised
SCRIPTS = ("data.js", "timeline.js", "invocations.js", "start.js")
AXIS_S = (0.01, 0.1, 1.0, 10.0, 60.0, 600.0, 3600.0)  # ticks of the recovery times
TIMELINES = 0.35  # of a page, at least, is for them: tables that would leave less are shortened
NOTES = 1000  # bytes, for the sentences about what is left out
CELL = 40  # bytes of a table's cell, at least


def fitting(page: Page, found: Found, links: str = "", limit: int = LIMIT) -> str:
    """The page with as much of its tables and then of its timelines as there is room for.

    `links`: the way from the page to the run folder.
    """
    for most in STEPS:
        shown = shortened(page, most)
        if most is not STEPS[-1] and cells(shown) * CELL > limit:
            continue
        room = limit - NOTES - len(render(replace(shown, scenes=len(found.readings)), links).encode())
        if room >= TIMELINES * limit:
            break
    return render(filled(shown, found, packed(found, room)), links)


def render(page: Page, links: str = "") -> str:
    """The page as HTML."""
    folder = files("assay.page") / "templates"
    style = (folder / "page.css").read_text(encoding="utf-8")
    script = "\n".join((folder / name).read_text(encoding="utf-8") for name in SCRIPTS)
    return _template().render(
        page=page,
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        axis=AXIS_S,
        links=links,
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("assay.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"place": place, "size": size, "seconds": seconds, "thinned": thinned, "quoted": quote}
    return environment.get_template("page.html")


def links_to(folder: Path, out: Path) -> str:
    """The way from the page's folder to the run's, as links begin: "", "../run/"."""
    way = os.path.relpath(folder.resolve(), out.resolve().parent)
    return "" if way == "." else f"{quote(way)}/"


def place(time_s: float, width: int = 600) -> float:
    """Where a time is on a logarithmic axis of `width`, from 0.01 s to 2 h."""
    import math

    low, high = math.log10(0.01), math.log10(7200)
    return round(width * (math.log10(min(max(time_s, 0.01), 7200)) - low) / (high - low), 1)


def seconds(time_s: float) -> str:
    """ "0.04 s", "12 s", "1 h"."""
    if time_s >= 3600:
        return f"{time_s / 3600:.3g} h"
    if time_s >= 60:
        return f"{time_s / 60:.3g} min"
    return f"{time_s:.2g} s" if time_s < 10 else f"{time_s:.0f} s"


def size(number: int) -> str:
    """ "4 kB", "1.2 MB"."""
    if number < 1000:
        return f"{number} B"
    return f"{number / 1000:.0f} kB" if number < 1_000_000 else f"{number / 1_000_000:.1f} MB"


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
