"""Workflow commands of GitHub Actions: each problem is shown at its line of a pull request. Notes are left to SARIF.

GitHub shows ten of a level for each step, so the tenth tells how many more there are.
Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from collections.abc import Sequence

from assay.counted import counted
from assay.reports.problems import Level, Problem, counting

MOST = 10
COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning"}


def render(problems: Sequence[Problem], whole: str) -> str:
    """A line for each problem that counts; "" where there are none. `whole` is where all of them are told."""
    lines = []
    for level, command in COMMANDS.items():
        found = [each for each in counting(problems) if each.level is level]
        shown = found if len(found) <= MOST else found[: MOST - 1]
        lines += [_line(command, each) for each in shown]
        if more := len(found) - len(shown):
            told = f"{counted(more, 'further problem')} of this kind: {whole}"
            lines.append(f"::{command} title=Assay::{_data(told)}")
    return "".join(f"{line}\n" for line in lines)


def _line(command: str, problem: Problem) -> str:
    where = f"file={_property(problem.path)},line={problem.line}," if problem.path else ""
    remedy = f"\nRemedy: {problem.remedy}" if problem.remedy else ""
    return f"::{command} {where}title={_property(problem.title)}::{_data(problem.text + remedy)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
