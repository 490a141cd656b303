"""CTRF, a JSON format of test results that many CI tools show: a test for each row, each claim and each part of a gate.

violated -> failed; unknown -> other, since it is never green; a known violation -> skipped, with the team's reason.
Source: https://ctrf.io/docs/full-schema
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import version
from typing import Any

import msgspec

from assay.gating.told import Gated, Part
from assay.report import Claim, Report
from assay.reports.checkout import Checkout
from assay.reports.words import broken_claims, evidence, plain, scenario_name, stack
from assay.verdict import Result, Verdict

SPEC = "0.0.0"
STATUSES = {Verdict.HELD: "passed", Verdict.VIOLATED: "failed", Verdict.UNKNOWN: "other"}
COUNTED = ("passed", "failed", "skipped", "pending", "other")


def render(report: Report, checkout: Checkout, gated: Gated | None = None) -> str:
    """The whole document. What a gate says is its verdict, where there is one."""
    broken = broken_claims(report)
    tests = [_part(part) for part in gated.parts] if gated else []
    tests += [_row(row, checkout) for row in report.results]
    tests += [_claim(claim, claim in broken, checkout) for claim in report.claims]
    start = _milliseconds(report.started_at)
    took = round(1000 * report.duration_s)
    counts = Counter(test["status"] for test in tests)
    last = gated or report
    summary = {"tests": len(tests), **{name: counts[name] for name in COUNTED}}
    summary |= {"start": start, "stop": start + took, "duration": took}
    results = {
        "tool": {"name": "assay", "version": version("celery-assay")},
        "summary": summary,
        "tests": tests,
        "environment": {
            "appName": str(report.app.get("name") or report.app.get("module") or ""),
            "testEnvironment": stack(report),
            "extra": {"evidence": evidence(report), "exitCode": last.exit_code, "verdict": str(last.verdict)},
        },
    }
    document: dict[str, Any] = {"reportFormat": "CTRF", "specVersion": SPEC, "generatedBy": "assay", "results": results}
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def _part(part: Part) -> dict[str, Any]:
    return {
        "name": f"gate: {part.name}",
        "status": STATUSES[part.verdict],
        "duration": 0,
        "suite": ["gate"],
        "message": plain(part.why),
    }


def _row(row: Result, checkout: Checkout) -> dict[str, Any]:
    told = {
        "name": f"{scenario_name(row)}[{row.task}]",
        "status": "skipped" if row.known else STATUSES[row.verdict],
        "rawStatus": str(row.verdict),
        "duration": round(1000 * row.duration_s),
        "suite": [row.suite],
        "message": f"known: {row.known}" if row.known else row.reason,
        "trace": "\n".join(_story(row)),
        **_where(row.place, checkout),
    }
    extra = {
        "fault": row.fault,
        "claim": row.claim,
        "outcome": str(row.outcome or ""),
        "recovery_s": row.recovery_s,
        "landed": row.landed,
        "members": row.members,
        "folder": row.folder,
    }
    return told | {"extra": {name: value for name, value in extra.items() if value not in ("", None, [])}}


def _claim(claim: Claim, broken: bool, checkout: Checkout) -> dict[str, Any]:
    verdict = claim.verdict if broken or claim.known else Verdict.HELD
    return {
        "name": f"claim: {claim.setting}",
        "status": "skipped" if claim.known else STATUSES[verdict],
        "rawStatus": str(claim.verdict),
        "duration": 0,
        "suite": ["claims"],
        "message": f"known: {claim.known}" if claim.known else claim.observed,
        **_where(claim.place, checkout),
    }


def _where(place: str, checkout: Checkout) -> dict[str, Any]:
    path, line = checkout.locate(place)
    return {"filePath": path, "line": line} if path else {}


def _story(row: Result) -> Iterator[str]:
    named = {"claim": row.claim, "promise": row.promise, "place": row.place, "remedy": row.remedy}
    yield from (f"{name}: {value}" for name, value in named.items() if value)
    for judgement in row.judgements:
        if judgement.verdict is not Verdict.HELD:
            yield f"{judgement.checker}: {judgement.verdict}: {judgement.reason}"


def _milliseconds(started_at: str) -> int:
    """Since 1970; 0 where a report does not tell, or was edited."""
    try:
        return round(1000 * datetime.fromisoformat(started_at).timestamp())
    except ValueError:
        return 0
