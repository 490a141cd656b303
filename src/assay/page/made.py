"""The page of a run folder, as text: what is read, composed and rendered."""

from pathlib import Path
from typing import TYPE_CHECKING

from assay.page.changing import changes
from assay.page.compose import page
from assay.page.gather import gather
from assay.page.render import fitting, links_to
from assay.report import Report

if TYPE_CHECKING:
    from assay.compare import Comparison
    from assay.gating.told import Gated


def made(
    folder: Path,
    report: Report,
    *,
    out: Path | None = None,
    program: str = "assay",
    comparison: "Comparison | None" = None,
    base: tuple[Path, Report] | None = None,
    gated: "Gated | None" = None,
) -> str:
    """`out` is where it will lie, which its links are from; None: in the run folder.

    `base`: the folder of a run that was compared with, for its recovery times. Raises UsageError for what is damaged.
    """
    found = gather(folder, report)
    before = gather(*base) if base else None
    changed = changes(comparison) if comparison else None
    shown = page(found, program=program, changes=changed, base=before, gated=gated)
    return fitting(shown, found, links_to(folder, out) if out else "")
