"""GitLab's code quality report (a part of Code Climate's format), which a merge request shows at its lines.

GitLab knows no accepted problems: they are left out. JUnit has them.
Source: https://docs.gitlab.com/ci/testing/code_quality/
"""

from collections.abc import Sequence

import msgspec

from assay.reports.problems import Level, Problem, counting

SEVERITIES = {Level.ERROR: "critical", Level.WARNING: "minor", Level.NOTE: "info"}


def render(problems: Sequence[Problem]) -> str:
    """The whole document: a list."""
    issues = [
        {
            "description": f"{each.title}. {each.text}." + (f" Remedy: {each.remedy}." if each.remedy else ""),
            "check_name": each.rule,
            "fingerprint": each.fingerprint,
            "severity": SEVERITIES[each.level],
            "location": {"path": each.path, "lines": {"begin": each.line}},
        }
        for each in counting(problems)
    ]
    return msgspec.json.format(msgspec.json.encode(issues), indent=2).decode() + "\n"
