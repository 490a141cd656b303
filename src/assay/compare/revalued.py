"""Settings that promised something by their values, and have others in force that no row was about. Pure."""

from collections.abc import Iterator, Sequence

from assay.audit.promises import DEFAULTS, EITHER_WAY, OPTIONS, promised
from assay.compare.comparison import Difference, lacking
from assay.compare.differences import NOTHING, key_of
from assay.report import Report
from assay.subject import CONTRACT

MANY = ("{", "[", "(")  # how a value of many entries begins


def revalued(differences: Sequence[Difference], current: Report) -> Iterator[Difference]:
    """Of a setting that has many entries a row is about one: it counts where one of them is gone or is otherwise.

    An address counts by its scheme: a run replaces it.
    """
    judged = {key_of(row.claim, current) for row in current.results if row.claim}
    retried = {t for row in current.results if row.suite == "retries" for t in (row.task, *row.members)}
    for each in differences:
        before, after = each.before, each.after or DEFAULTS.get(each.name) or ""
        if each.name.startswith(CONTRACT) or not promised(each.name) or before == after:
            continue
        if before is None or (before in NOTHING and each.name not in EITHER_WAY):
            continue
        if before.startswith(MANY):
            counts = bool(lacking(before, after))
        elif "://" in before:
            counts = before.partition("://")[0] != after.partition("://")[0]
        else:
            counts = not judged & {each.name, f"task_{each.name}"}
        if counts and not (each.name in OPTIONS and {*each.tasks} <= retried):
            yield each
