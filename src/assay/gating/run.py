"""`assay gate`: everything on one bench, so that the app is imported once."""

import time

import msgspec

from assay.audit.run import audit, view_of
from assay.audit.told import Audit
from assay.bench import bench
from assay.gating.conclusion import conclude
from assay.gating.told import Gated
from assay.progress import Progress
from assay.report import Report
from assay.run import run_on
from assay.selection import Selection
from assay.settings import Settings


class Found(msgspec.Struct, frozen=True):
    report: Report
    audit: Audit
    gated: Gated


def gate(settings: Settings, selection: Selection, progress: Progress, *, folder: str) -> Found:
    """Look, run, judge. `folder` is the run folder as it is told. Raises UsageError and HarnessError, as a run."""
    demands = settings.gate
    with bench(settings, progress, called=settings.live, audit=True) as it:
        view = view_of(it.zygote, settings)
        report = run_on(it, selection, progress)
        took_s = time.monotonic() - it.began
    audited = audit(settings, view, report, strict=demands.audit == "risk")
    return Found(report, audited, conclude(report, audited, None, demands, took_s=took_s, folder=folder))
