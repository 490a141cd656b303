"""`assay gate`: look, run, compare, and one verdict of all."""

from pathlib import Path

import msgspec

from assay.audit.run import audit, look_and_run
from assay.audit.told import Audit
from assay.compare import Comparison, compare, sources
from assay.errors import UsageError
from assay.gating import conclusion
from assay.gating.told import Gated, Part
from assay.progress import Progress
from assay.report import Report
from assay.reports import json
from assay.selection import Selection
from assay.settings import Settings


class Found(msgspec.Struct, frozen=True):
    """`comparison` is None without a baseline, and with one that cannot be compared with."""

    report: Report
    audit: Audit
    comparison: Comparison | None
    gated: Gated


def gate(settings: Settings, selection: Selection, progress: Progress, *, folder: str) -> Found:
    """Look, run, judge. `folder` is the run folder as it is told. Raises UsageError and HarnessError, as a run."""
    demands = settings.gate
    if demands.baseline:
        sources.base(demands.baseline, held=True)  # a damaged one is told before a run that takes minutes
    view, report = look_and_run(settings, selection, progress)
    audited = audit(settings, view, report, strict=demands.audit == "risk")
    comparison, baseline = _compared(demands.baseline, report, folder) if demands.baseline else (None, None)
    gated = conclusion.conclude(report, audited, baseline, demands, took_s=report.duration_s, folder=folder)
    return Found(report, audited, comparison, gated)


def _compared(path: Path, report: Report, folder: str) -> tuple[Comparison | None, Part]:
    kept = json.parse(json.render(report))  # as the base is read: what is a tuple here is a list there
    try:
        source = sources.base(path, kept, held=True)
        found = compare(source.reports, kept)
    except UsageError as error:
        return None, conclusion.refused(str(error))
    found.notes = [*source.notes, *found.notes]
    return found, conclusion.compared(found, folder)
