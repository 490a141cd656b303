"""What is told of a life."""

import pytest
from histories import At, acked, attempt, event, killed, published, received, settled, started, story

from assay.checkers.delivery import Delivery, outcome
from assay.checkers.words import beside, tale
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


def test_given_a_loss_by_a_fault_that_was_meant_for_another_then_what_its_worker_met_is_told() -> None:
    exited = event(Kind.WORKER_EXITED, pid=1, exitcode=-9)
    both = (*received_by_both(), *killed(10, "b"), exited, settled())
    lives, world = fold(story(*both))
    assert beside(lives["a"], world) == "its worker w1 was struck by SIGKILL child at 0.090 s"
    assert "; its worker w1 was struck by SIGKILL child" in Delivery("at_least_once").judge(lives, world).reason


def test_given_a_loss_in_a_worker_that_was_told_to_stop_then_that_is_told_and_nothing_where_it_was_before() -> None:
    stopping = event(Kind.WORKER_STOPPING)
    lives, world = fold(story(*received_by_both(), stopping, event(Kind.WORKER_EXITED, pid=1, exitcode=0), settled()))
    assert beside(lives["a"], world) == "its worker w1 began to stop at 0.080 s"
    lives, world = fold(story(stopping, *received_by_both(), settled()))
    assert beside(lives["a"], world) == ""


def received_by_both() -> tuple[At, ...]:
    return (published("a"), published("b"), received("a"), received("b"), *started("a"), *started("b", pid=12))


def test_given_a_part_that_nobody_ever_published_then_it_is_not_said_that_the_broker_lost_it() -> None:
    lives, world = fold(story(published("a"), received("a"), *attempt("a"), acked("a"), settled()))
    body = Delivery("at_least_once", ids=["a", "body"]).judge(lives, world)
    assert (body.outcome, body.reason) == (Outcome.LOST, "invocation[body] is lost: it was never published")
