"""What a scenario may do on its stage, on a cluster made by hand."""

from pathlib import Path
from typing import Any

import pytest
from targets import task

from assay.checkers import Published
from assay.checkers.publishing import remedy
from assay.errors import HarnessError
from assay.event import Event, Kind
from assay.scaling import Scaling, Target
from assay.settings import Settings
from assay.stage import Refused, Stage


class Cluster:
    """Publishes nothing; says of each invocation that this was the error."""

    def __init__(self, error: str) -> None:
        self.folder = Path()
        self.invocations: dict[str, str] = {}
        self.refused: dict[str, str] = {}
        self._error = error
        self.waited_for: list[str] = []

    def publish(self, task: str, script: Any, **options: Any) -> str:
        return self.publish_many([(task, script)])[0]

    def publish_many(self, tasks: list[tuple[str, Any]], **options: Any) -> list[str]:
        ids = [str(len(self.invocations) + number) for number in range(len(tasks))]
        self.invocations |= {each: task for each, (task, _) in zip(ids, tasks, strict=True)}
        if self._error:
            self.refused |= dict.fromkeys(ids, self._error)
        return ids

    def wait_event(self, wanted: Any, *, what: str) -> None:
        kinds = [kind for kind in Kind if wanted(Event(0, kind, 1, invocation="a"))]
        self.waited_for += [str(kind) for kind in kinds]


class Subject:
    def setting(self, key: str) -> None:
        return None


class Shop:
    name = "shop.charge"
    place = "shop.py:7"

    def __init__(self, acks_late: bool) -> None:
        self.acks_late = acks_late


def stage(error: str = "", *, acks_late: bool = True, pool: str = "prefork") -> Stage:
    target = Target(subject=Subject(), task=Shop(acks_late), pool=pool)  # type: ignore[arg-type]
    return Stage(None, target, Cluster(error), Scaling(), Settings(app="shop", workdir=Path(), out=Path()))  # type: ignore[arg-type]


def test_nothing_is_judged_of_what_could_not_be_published() -> None:
    for act in (lambda it: it.publish(), lambda it: it.publish_many(2)):
        with pytest.raises(HarnessError, match=r"^shop\.charge could not be published: OSError: no route to host$"):
            act(stage("OSError: no route\nto host"))


def test_what_celery_refuses_because_of_the_configuration_is_what_there_is_to_judge() -> None:
    it = stage("QueueNotFound: Queue 'nowhere' not defined")
    with pytest.raises(Refused):
        it.publish()
    assert it.checkers == [Published(ids=["0"])]
    assert it.promise == "the task can be published"
    assert it.remedy.startswith("declare its queue in task_queues")


@pytest.mark.parametrize(
    ("error", "limits", "told"),
    [
        ("QueueNotFound: Queue 'nowhere' not defined", {}, "declare its queue in task_queues"),
        (
            "ValueError: soft_time_limit must be less than or equal to time_limit",
            {"soft_time_limit": 100.0, "time_limit": 30.0},
            "give shop.charge a soft_time_limit below its time_limit=30, rather than 100, or a longer time_limit",
        ),
        (
            "ValueError: soft_time_limit must be less than or equal to time_limit",
            {},
            "mend what its delay() raises: ValueError: soft_time_limit must",
        ),
        ("EncodeError: Object of type\nset", {}, "mend what its delay() raises: EncodeError: Object of type set"),
    ],
)
def test_the_remedy_for_what_cannot_be_published_is_about_its_error(
    error: str, limits: dict[str, float], told: str
) -> None:
    assert told in remedy(error, task(**limits))


def test_what_was_published_is_told_by_its_ids() -> None:
    it = stage()
    assert (it.publish(), it.publish_many(2)) == ("0", ["1", "2"])


@pytest.mark.parametrize(
    ("acks_late", "pool", "expected"),
    [(False, "prefork", ["acked"]), (True, "prefork", []), (False, "solo", []), (False, "threads", [])],
)
def test_an_early_acknowledgement_is_waited_for_where_it_comes_before_the_bodys_end(
    acks_late: bool, pool: str, expected: list[str]
) -> None:
    it = stage(acks_late=acks_late, pool=pool)
    it.acknowledged_early("a")
    assert it.cluster.waited_for == expected  # type: ignore[attr-defined]
