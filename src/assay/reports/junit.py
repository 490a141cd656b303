"""JUnit XML, as CI servers read it: one testcase for each result, one for each claim, one for each part of a gate.

violated -> failure; unknown -> error, since it is no verdict on the app and must not look green; a known violation ->
skipped, with the team's reason. Claims form a suite of their own, since some are broken without any scenario (a limit
that the pool cannot enforce); a claim that only known violations speak against passes.
"""

import re
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree as ET

from assay.gating.told import Part
from assay.report import Claim, Report
from assay.reports.words import broken_claims, cell, evidence, stack
from assay.verdict import Result, Verdict

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # by XML 1.0


def render(report: Report, folder: Path | None = None, parts: Sequence[Part] = ()) -> str:
    """The whole document, with its declaration. `parts` are those of a gate."""
    root = ET.Element("testsuites", name="assay", time=f"{report.duration_s:.3f}")
    if parts:
        _suite(root, "gate", [_part(part) for part in parts], report, folder)
    for suite, rows in groupby(sorted(report.results, key=lambda r: r.suite), key=lambda r: r.suite):
        _suite(root, suite, [_row(row) for row in rows], report, folder)
    broken = broken_claims(report)
    if report.claims:
        _suite(root, "claims", [_claim(claim, claim in broken) for claim in report.claims], report, folder)
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(root: ET.Element, name: str, cases: list[ET.Element], report: Report, folder: Path | None) -> None:
    suite = ET.SubElement(root, "testsuite", name=_clean(name), tests=str(len(cases)))
    if report.started_at:
        suite.set("timestamp", _clean(report.started_at))
    for tag, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(attribute, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("time", f"{sum(float(case.get('time', '0')) for case in cases):.3f}")
    about = {"stack": stack(report), "evidence": evidence(report), "run": str(folder or "")}
    _properties(suite, about)
    suite.extend(cases)


def _part(part: Part) -> ET.Element:
    case = ET.Element("testcase", classname="assay.gate", name=_clean(part.name), time="0")
    _judge(case, part.verdict, "gate", part.why, "\n".join([part.why, *part.details]))
    return case


def _row(result: Result) -> ET.Element:
    name = f"{result.scenario}[{result.task}]"
    case = ET.Element("testcase", classname=_clean(f"assay.{result.suite}"), name=_clean(name))
    case.set("time", f"{result.duration_s:.3f}")
    properties = {
        "fault": result.fault,
        "claim": result.claim,
        "place": result.place,
        "outcome": str(result.outcome or ""),
        "recovery_s": "" if result.recovery_s is None else f"{result.recovery_s:g}",
        "injected": str(result.injected),
        "landed": str(result.landed),
        "members": ", ".join(result.members),
        "folder": result.folder,
    }
    _properties(case, properties)
    if result.known:
        ET.SubElement(case, "skipped", message=_clean(f"known: {cell(result)}: {result.known}")).text = _story(result)
    else:
        _judge(case, result.verdict, str(result.outcome or result.verdict), result.reason, _story(result))
    return case


def _claim(claim: Claim, broken: bool) -> ET.Element:
    case = ET.Element("testcase", classname="assay.claims", name=_clean(claim.setting), time="0")
    _properties(case, {"place": claim.place, "tasks": ", ".join(claim.tasks)})
    told = [f"promises: {claim.promise}", f"observed: {claim.observed}"] + [f"place: {claim.place}"] * bool(claim.place)
    _judge(
        case,
        claim.verdict if broken else Verdict.HELD,
        "claim",
        claim.observed,
        "\n".join([*told, f"remedy: {claim.remedy}"]),
    )
    return case


def _judge(case: ET.Element, verdict: Verdict, kind: str, message: str, story: str) -> None:
    tag = {Verdict.VIOLATED: "failure", Verdict.UNKNOWN: "error"}.get(verdict)
    if tag:
        ET.SubElement(case, tag, type=_clean(kind), message=_clean(message)).text = _clean(story)


def _story(result: Result) -> str:
    lines = [result.reason, f"task: {result.task}", f"fault: {result.fault}"]
    named = {
        "claim": result.claim,
        "promise": result.promise,
        "place": result.place,
        "remedy": result.remedy,
        "recorded in": result.folder,
    }
    lines += [f"{name}: {value}" for name, value in named.items() if value]
    lines += [f"{j.checker}: {j.verdict}: {j.reason}" for j in result.judgements if j.verdict is not Verdict.HELD]
    return _clean("\n".join(lines))


def _properties(parent: ET.Element, values: dict[str, str]) -> None:
    properties = ET.SubElement(parent, "properties")
    for name, value in values.items():
        if value:
            ET.SubElement(properties, "property", name=name, value=_clean(value))


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
