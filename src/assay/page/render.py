"""The page as one HTML file: no request, no foreign script, below a limit in size."""

import base64
import hashlib
import os
import zlib
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined

from assay.page.recovering import thinned
from assay.page.shown import Page

LIMIT = 1_950_000  # bytes; 2 MB are promised
SCRIPTS = ("data.js", "timeline.js", "invocations.js", "start.js")
AXIS_S = (0.01, 0.1, 1.0, 10.0, 60.0, 600.0, 3600.0)  # ticks of the recovery times
_encode = msgspec.json.Encoder().encode


def fitting(compose: Callable[[int | None], Page], links: str = "", limit: int = LIMIT) -> str:
    """The page with as many events as there is room for. `links`: the way from the page to the run folder."""
    page = compose(None)
    html = render(page, links)
    while len(html.encode()) > limit:
        lines = sum(len(scene.lines.number) for scene in page.scenes)
        if not lines:
            break  # what is left are tables, which have limits of their own
        page = compose(int(lines * min(0.9, 0.9 * limit / len(html.encode()))))
        html = render(page, links)
    return html


def render(page: Page, links: str = "") -> str:
    """The page as HTML."""
    folder = files("assay.page") / "templates"
    style = (folder / "page.css").read_text(encoding="utf-8")
    script = "\n".join((folder / name).read_text(encoding="utf-8") for name in SCRIPTS)
    environment = Environment(
        loader=PackageLoader("assay.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"place": place, "size": size, "seconds": seconds, "thinned": thinned, "quoted": quote}
    return environment.get_template("page.html").render(
        page=page,
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        data=packed(page),
        axis=AXIS_S,
        links=links,
    )


def packed(page: Page) -> str:
    """Scenes and strings as JSON, deflated, in base 64; times and numbers of events as steps, which pack better."""
    scenes = msgspec.to_builtins(page.scenes)
    for scene in scenes:
        for column in ("number", "at_ns"):
            scene["lines"][column] = _steps(scene["lines"][column])
    return base64.b64encode(zlib.compress(_encode({"strings": page.strings, "scenes": scenes}), 9)).decode()


def _steps(numbers: list[int]) -> list[int]:
    return [number - before for before, number in zip([0, *numbers], numbers, strict=False)]


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
