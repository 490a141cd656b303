"""What a scenario may do on its stage, on a cluster made by hand."""

from pathlib import Path
from typing import Any

import pytest

from assay.errors import HarnessError
from assay.scaling import Scaling, Target
from assay.settings import Settings
from assay.stage import Stage


class Cluster:
    """Publishes nothing; says of each invocation that this was the error."""

    def __init__(self, error: str) -> None:
        self.folder = Path()
        self.invocations: dict[str, str] = {}
        self.refused: dict[str, str] = {}
        self._error = error

    def publish(self, task: str, script: Any, **options: Any) -> str:
        return self.publish_many([(task, script)])[0]

    def publish_many(self, tasks: list[tuple[str, Any]]) -> list[str]:
        ids = [str(len(self.invocations) + number) for number in range(len(tasks))]
        self.invocations |= {each: task for each, (task, _) in zip(ids, tasks, strict=True)}
        if self._error:
            self.refused |= dict.fromkeys(ids, self._error)
        return ids


class Shop:
    name = "shop.charge"


def stage(error: str = "") -> Stage:
    target = Target(subject=None, task=Shop(), pool="prefork")  # type: ignore[arg-type]
    return Stage(None, target, Cluster(error), Scaling(), Settings(app="shop", workdir=Path(), out=Path()))  # type: ignore[arg-type]


def test_nothing_is_judged_of_what_could_not_be_published() -> None:
    for act in (lambda it: it.publish(), lambda it: it.publish_many(2)):
        with pytest.raises(HarnessError, match=r"^shop\.charge could not be published: OSError: no route to host$"):
            act(stage("OSError: no route\nto host"))


def test_a_refusal_that_is_asked_for_is_none_of_the_harness() -> None:
    assert stage("QueueNotFound: misspelt").publish(may_be_refused=True) == "0"


def test_what_was_published_is_told_by_its_ids() -> None:
    it = stage()
    assert (it.publish(), it.publish_many(2)) == ("0", ["1", "2"])
