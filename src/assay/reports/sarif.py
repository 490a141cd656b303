"""SARIF 2.1.0, as code scanning servers read it: a result for each problem, a rule for each kind of them.

What the team knows is there and suppressed, with its reason.
Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/ and GitHub's page about the part of it that it reads.
"""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

import msgspec

from assay.reports.problems import Level, Problem

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
FINGERPRINT = "assayProblem/v1"


def render(problems: Sequence[Problem], *, exit_code: int, command: str = "", started_at: str = "") -> str:
    """The whole document. `started_at` is ISO 8601, in UTC."""
    rules = list({each.rule: each for each in problems}.values())
    numbers = {each.rule: number for number, each in enumerate(rules)}
    driver = {
        "name": "Assay",
        "version": version("celery-assay"),
        "rules": [_rule(each) for each in rules],
    }
    invocation: dict[str, Any] = {"executionSuccessful": True, "exitCode": exit_code}
    if command:
        invocation["commandLine"] = command
    if started_at:
        invocation["startTimeUtc"] = started_at
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": "assay/"},
        "invocations": [invocation],
        "results": [_result(each, numbers[each.rule]) for each in problems],
    }
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def _rule(first: Problem) -> dict[str, Any]:
    """`first` is any problem of it: the text is the same for all."""
    tags = ["reliability", first.rule.partition("/")[0]]
    return {
        "id": first.rule,
        "name": "".join(part.title() for part in first.rule.replace("/", "_").replace("-", "_").split("_")),
        "shortDescription": {"text": first.about},
        "fullDescription": {"text": first.about},
        "help": {"text": f"{first.about} `assay show` tells what happened in the run."},
        "defaultConfiguration": {"level": str(first.level)},
        "properties": {"tags": tags, "problem.severity": _severity(first.level)},
    }


def _severity(level: Level) -> str:
    return "recommendation" if level is Level.NOTE else str(level)


def _result(problem: Problem, number: int) -> dict[str, Any]:
    remedy = f" Remedy: {problem.remedy}." if problem.remedy else ""
    where = {"uri": quote(problem.path), "uriBaseId": "%SRCROOT%"}
    result: dict[str, Any] = {
        "ruleId": problem.rule,
        "ruleIndex": number,
        "level": str(problem.level),
        "message": {"text": f"{problem.title}. {problem.text}.{remedy}"},
        "locations": [{"physicalLocation": {"artifactLocation": where, "region": {"startLine": problem.line}}}],
        "partialFingerprints": {FINGERPRINT: problem.fingerprint},
    }
    if problem.known:
        result["suppressions"] = [{"kind": "external", "justification": problem.known}]
    return result
