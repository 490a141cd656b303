"""`assay audit`: look at the app, run the scenarios unless only looking was asked for, and say what became of each."""

import datetime

import msgspec

from assay.audit.finding import Finding, Kind
from assay.audit.patch import patch
from assay.audit.rule import View, look
from assay.audit.states import states
from assay.audit.told import Audit
from assay.bench import bench
from assay.contract.agreement import hold_to
from assay.known import Known
from assay.process import Supervisor
from assay.progress import Progress
from assay.report import Report
from assay.run import run_on
from assay.selection import Selection
from assay.settings import Settings
from assay.warm import Zygote


def look_at(settings: Settings) -> View:
    """Load the app in a process of its own, which ends with this call. Raises UsageError where it cannot be loaded."""
    with Supervisor() as supervisor:
        zygote = Zygote(
            supervisor, settings.app, settings.workdir, env=settings.environment, pool=settings.pool, audit=True
        )
    hold_to(zygote.subject, settings)
    return _view(zygote, settings)


def look_and_run(settings: Settings, selection: Selection, progress: Progress) -> tuple[View, Report]:
    """Both on one bench, so that the app is imported once. Raises UsageError and HarnessError, as a run."""
    with bench(settings, progress, called=settings.live, audit=True) as it:
        view = _view(it.zygote, settings)
        return view, run_on(it, selection, progress)


def _view(zygote: Zygote, settings: Settings) -> View:
    return View(zygote.subject, zygote.written, settings.pool or zygote.subject.pool, settings.queues)


def audit(settings: Settings, view: View, report: Report | None, *, strict: bool) -> Audit:
    """What all rules say, beside what the scenarios said, where there were any. `strict`: risks count as well."""
    found, not_seen = accepted(look(view), settings.known)
    broker = settings.broker if "://" not in settings.broker else settings.broker.partition("://")[0]
    entries = states(view.subject, found, report, broker)
    counting = [each for each in found if not each.accepted and (strict or each.kind is not Kind.RISK)]
    changes = [change for each in counting for change in each.changes]
    patched = patch(changes, view.subject, settings.workdir)
    return Audit(
        app=view.subject.app,
        pool=view.pool,
        broker=broker if report else "",
        versions=view.subject.versions,
        entries=entries,
        defaults=view.written.defaults,
        findings=found,
        patch=patched.diff,
        by_hand=[msgspec.structs.replace(each, setting=view.subject.spelled(each.setting)) for each in patched.left],
        not_seen=not_seen,
        strict=strict,
        ran=report is not None,
        run_exit_code=report.exit_code if report else 0,
        exit_code=1 if counting else report.exit_code if report else 0,
        duration_s=report.duration_s if report else 0.0,
    )


def accepted(findings: list[Finding], known: tuple[Known, ...]) -> tuple[list[Finding], list[str]]:
    """The findings, with the reason beside those that the team accepts; and a sentence for each entry of no use."""
    today = datetime.datetime.now(datetime.UTC).date()
    told, seen = [], list(findings)
    for entry in known:
        if not entry.rule:
            continue
        if entry.expired(today):
            told.append(f"expired on {entry.expires}, so it does not count: {entry}")
            continue
        fitting = [number for number, each in enumerate(seen) if entry.speaks_of(each.rule, each.settings, each.tasks)]
        if not fitting:
            told.append(f"no longer shows, the entry can go: {entry}")
        for number in fitting:
            seen[number] = msgspec.structs.replace(seen[number], accepted=f"{entry.reason} ({entry.upstream})")
    return seen, told
