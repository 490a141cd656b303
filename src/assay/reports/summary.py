"""A job summary: the report in Markdown as far as the server takes it, the worst first, and what was left out.

GitHub refuses a summary of more than 1 MiB altogether.
Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from collections.abc import Sequence

from assay.counted import counted
from assay.gating.told import Gated
from assay.reports import compare_markdown
from assay.reports.escaped import text
from assay.reports.formats import Told
from assay.reports.markdown import SIGNS, sections

MOST = 1 << 20  # bytes of a step's summary
NOTE = 400  # bytes that what was left out is told in, at most
OPENED, CLOSED, FENCE = "<details>", "</details>", "```"


def render(told: Told, *, most: int = MOST) -> str:
    """Of `most` bytes in UTF-8 at most."""
    parts = _gate(told.gated) if told.gated else []
    parts += [compare_markdown.render(told.comparison).rstrip("\n")] if told.comparison else []
    return fitted([*parts, *sections(told.report, told.folder)], most, f"report.md in the run folder {told.folder}")


def fitted(parts: Sequence[str], most: int, whole: str) -> str:
    """As many of the parts as fit, the last of them line by line, and what is left out: all of it is in `whole`."""
    whole_text = "\n\n".join(parts) + "\n"
    if len(whole_text.encode()) <= most:
        return whole_text
    room, kept, lines_left, parts_left = most - NOTE, list[str](), 0, 0
    for part in parts:
        size = len(part.encode()) + 2
        if parts_left or lines_left:
            parts_left += 1
        elif size <= room:
            kept.append(part)
            room -= size
        else:
            cut, lines_left = _cut(part, room)
            kept += [cut] * bool(cut)
            parts_left += not cut
    left = [counted(lines_left, "line")] * bool(lines_left) + [counted(parts_left, "further part")] * bool(parts_left)
    note = f"> Left out, for the size that a summary may have: {' and '.join(left)}. {whole[:200]} has all."
    told = "\n\n".join([*kept, note]).encode()[: most - 1 if most > NOTE else most]
    return told.decode(errors="ignore") + "\n" * (most > NOTE)


def _cut(part: str, room: int) -> tuple[str, int]:
    """Its first lines that fit, and how many do not; a fold is closed, and what is to be copied is kept whole."""
    if part.startswith(FENCE):
        return "", 0
    lines = part.split("\n")
    room -= len(CLOSED) + 2
    kept: list[str] = []
    for line in lines:
        room -= len(line.encode()) + 1
        if room < 0:
            break
        kept.append(line)
    cut = "\n".join(kept)
    if cut.count(OPENED) > cut.count(CLOSED):
        cut = f"{cut}\n\n{CLOSED}"
    return (cut, len(lines) - len(kept)) if cut.strip() else ("", 0)


def _gate(gated: Gated) -> list[str]:
    lines = ["| part | verdict | why |", "| --- | --- | --- |"]
    lines += [f"| {part.name} | {SIGNS[part.verdict]} {part.verdict} | {text(part.why)} |" for part in gated.parts]
    details = [f"- {part.name}: {text(line)}" for part in gated.parts for line in part.details]
    heading = f"## {SIGNS[gated.verdict]} Gate: {gated.verdict}, exit code {gated.exit_code}"
    return [heading, "\n".join(lines), *(["\n".join(details)] if details else [])]
