"""What of a task's contract a chaos run can say: attempts of what was struck, and how late it went on. Pure."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from assay.checkers import AnyChecker, Attempts, Recovery
from assay.contract.delivery import claim
from assay.fault import STRIKING
from assay.scaling import POOL_CHECK_S
from assay.subject import Subject

ATTEMPTS, RECOVERED = ROWS = ("attempts_of_contract", "recovered_in_time")


class Bound(msgspec.Struct, frozen=True):
    row: str
    claim: str
    promise: str
    checker: AnyChecker


def bounds(subject: Subject, task: str, struck: Mapping[str, Sequence[str]]) -> Iterator[Bound]:
    """`struck`: by each fault, which invocations of the task."""
    one, ids = subject.task(task), list(dict.fromkeys(each for some in struck.values() for each in some))
    if ids and (most := one.contract.attempts):
        said = f"what is lost or fails is attempted {most} times at the most"
        yield Bound(ATTEMPTS, claim(one, "attempts"), said, Attempts(ids=ids, most=most))
    if ids and (within_s := one.contract.recovery_s):
        said = f"what is lost is followed by the next attempt within {within_s:g} s"
        child_alone = all(STRIKING[fault].takes_child for fault in struck)
        late_s = subject.restore_period_s if subject.on_redis and not child_alone else POOL_CHECK_S
        who = "a prefork pool looks for dead children" if child_alone else "what is lost is looked for"
        late = Recovery(
            within_s=within_s, ids=ids, unsure_s=late_s, because=f"where {who} every {late_s:g} s", loaded=True
        )
        yield Bound(RECOVERED, claim(one, "recovery_s"), said, late)
