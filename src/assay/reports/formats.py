"""The files that a run can be told in, by the option that asks for each; each is imported when it is asked for."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from assay.report import Report

if TYPE_CHECKING:
    from assay.audit.told import Audit
    from assay.compare import Comparison
    from assay.gating.told import Gated
    from assay.reports.checkout import Checkout
    from assay.reports.problems import Problem


class Told(NamedTuple):
    """What there is to tell. A gate has an audit, a verdict and perhaps a comparison as well."""

    report: Report
    folder: Path  # of the run
    workdir: Path | None = None  # the app's; None: as the run's facts have it
    config: Path | None = None  # of Assay; None: there is none, or it is not known
    audit: "Audit | None" = None
    gated: "Gated | None" = None
    comparison: "Comparison | None" = None
    file: Path | None = None  # that it is written to, for what has links in it; None: in the run folder

    def checkout(self) -> "Checkout":
        """Where the app's sources are."""
        from assay.facts import read
        from assay.reports.checkout import Checkout

        return Checkout.of(self.workdir or Path(read(self.folder).workdir), self.config)

    def problems(self) -> "list[Problem]":
        """What is wrong, at its lines."""
        from assay.reports.problems import problems

        parts = self.gated.parts if self.gated else ()
        return problems(self.report, self.audit, self.checkout(), self.comparison, parts)


class Format(NamedTuple):
    """`file` is its name in a run folder of `assay gate`, `about` what --help says."""

    file: str
    about: str
    render: Callable[[Told], str]


def _json(told: Told) -> str:
    from assay.reports import json

    return json.render(told.report)


def _junit(told: Told) -> str:
    from assay.reports import junit

    return junit.render(told.report, told.folder, told.gated.parts if told.gated else ())


def _ctrf(told: Told) -> str:
    from assay.reports import ctrf

    return ctrf.render(told.report, told.checkout(), told.gated)


def _sarif(told: Told) -> str:
    from assay.reports import sarif

    report, gated = told.report, told.gated
    return sarif.render(
        told.problems(),
        exit_code=(gated or report).exit_code,
        command=report.command,
        started_at=report.started_at,
    )


def _codequality(told: Told) -> str:
    from assay.reports import codequality

    return codequality.render(told.problems())


def _summary(told: Told) -> str:
    from assay.reports import summary

    return summary.render(told)


def _html(told: Told) -> str:
    from assay.page.made import made

    out = None if told.file is None or str(told.file) == "-" else told.file
    return made(told.folder, told.report, out=out, comparison=told.comparison, gated=told.gated)


FORMATS = {
    "json": Format("report.json", "Also write report.json here; - is stdout.", _json),
    "junit": Format("junit.xml", "Also write JUnit XML here.", _junit),
    "ctrf": Format("ctrf.json", "Also write CTRF, a JSON of test results, here.", _ctrf),
    "sarif": Format("report.sarif", "Also write SARIF here, for code scanning.", _sarif),
    "codequality": Format("codequality.json", "Also write GitLab's code quality report here.", _codequality),
    "summary": Format("summary.md", "Also write a job summary here; default: $GITHUB_STEP_SUMMARY.", _summary),
    "html": Format("report.html", "Also write the report page here.", _html),
}
Files = dict[str, Path]  # by format
