"""What is told of a life."""

import pytest
from histories import acked, attempt, event, published, received, settled, story

from assay.checkers.delivery import Delivery, outcome
from assay.checkers.words import tale
from assay.errors import UsageError
from assay.event import Kind
from assay.fold import fold
from assay.verdict import Outcome


def test_given_a_batch_recorded_after_its_messages_ran_then_times_count_from_when_each_was_asked_for() -> None:
    late = event(Kind.PUBLISHED, "a", pid=1, worker="", asked_at_ns=0)
    begun, *rest = attempt("a")
    lives, world = fold(story(received("a"), begun, late, *rest, acked("a")))
    assert tale(lives["a"], world).startswith("attempt 1 began at 0.020 s")


def test_given_an_attempt_that_failed_before_its_body_then_it_failed_and_is_not_lost() -> None:
    before = event(Kind.ATTEMPT_STARTED, "a", pid=11, attempt="11-1", retries=0)
    ended = event(Kind.ATTEMPT_ENDED, "a", pid=11, attempt="11-1", state="FAILURE")
    lives, world = fold(story(published("a"), received("a"), before, ended, acked("a"), settled()))
    assert outcome(lives["a"], world) is Outcome.FAILED


def test_a_contract_that_there_is_not_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^there is no contract at_leest_once; did you mean at_least_once\?; "):
        Delivery(contract="at_leest_once")  # type: ignore[arg-type]
