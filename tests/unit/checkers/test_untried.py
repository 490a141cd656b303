"""A message that a test let nobody take proves nothing; one that a worker had every chance to take does."""

import pytest
from histories import At, attempt, event, published, received, started, still_queued, story, unsettled

from assay.checker import Checker
from assay.checkers import Attempts, Delivery, FinalState
from assay.event import Kind
from assay.untried import judge, untried
from assay.verdict import Judgement, Verdict

BEYOND_S = 3660.0
LEAST = Delivery(contract="at_least_once")
KILLED = (
    event(Kind.FAULT_LANDED, "a", pid=1, fault="SIGKILL main", target=10, signal="SIGKILL"),
    event(Kind.WORKER_EXITED, pid=10, status=-9),
)
UNACKED = event(Kind.FINAL_UNACKED, pid=1, worker="", ids=["a"])


def spawned(worker: str = "w1", pid: int = 10, clock_offset_s: float = 0.0) -> At:
    return event(Kind.WORKER_SPAWNED, pid=pid, worker=worker, clock_offset_s=clock_offset_s)


def judged(*events: At, by: Checker = LEAST, beyond_s: float = BEYOND_S) -> Judgement:
    told = story(*events)
    return judge([by], told, untried(told, beyond_s))[0]


STRUCK = (spawned(), published(), received(), *started(), *KILLED)


def test_given_no_worker_then_a_message_in_its_queue_says_nothing_of_the_app() -> None:
    found = judged(published(), unsettled(), still_queued("a"))

    assert found.verdict is Verdict.UNKNOWN
    assert found.reason == "charge[a] waits in its queue, and no worker was started: call start_worker()"


def test_given_a_dead_worker_and_no_time_let_pass_then_what_it_had_says_nothing_of_the_app() -> None:
    found = judged(*STRUCK, unsettled(), UNACKED)

    assert found.verdict is Verdict.UNKNOWN
    assert found.reason == (
        "charge[a] is unacknowledged, its worker w1 is gone, and the visibility timeout was not let pass: "
        "call recover()"
    )


def test_given_another_worker_whose_clock_is_right_then_time_was_still_not_let_pass() -> None:
    assert judged(*STRUCK, spawned("w2", 20), unsettled(), UNACKED).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("story_of_it", "beyond_s"),
    [
        ((*STRUCK, spawned("w2", 20, BEYOND_S), unsettled(), UNACKED), BEYOND_S),  # in whose eyes it was overdue
        ((spawned(), published(), received(), *started(), unsettled(), UNACKED), BEYOND_S),  # its worker lives
        ((spawned(), published(), unsettled(), still_queued("a")), BEYOND_S),  # a worker is up and does not take it
        ((*STRUCK, unsettled(), UNACKED), 0.0),  # the broker gives it back by itself
    ],
)
def test_given_that_somebody_could_have_taken_it_then_it_is_stuck(story_of_it: tuple[At, ...], beyond_s: float) -> None:
    found = judged(*story_of_it, beyond_s=beyond_s)

    assert (found.verdict, found.reason.partition(":")[0]) == (Verdict.VIOLATED, "charge[a] is stuck")


def test_given_a_message_given_back_and_no_worker_left_then_another_one_is_asked_for() -> None:
    found = judged(*STRUCK, unsettled(), still_queued("a"))

    assert found.verdict is Verdict.UNKNOWN
    assert "no worker is left: start another one, or call recover()" in found.reason


def test_given_a_worker_that_ended_by_itself_then_what_waits_is_stuck() -> None:
    ended = event(Kind.WORKER_EXITED, pid=10, status=1)

    assert judged(spawned(), published(), ended, unsettled(), still_queued("a")).verdict is Verdict.VIOLATED


def test_given_another_message_that_was_done_twice_then_that_one_is_told() -> None:
    twice = (published("b"), received("b"), *attempt("b"), received("b", redelivered=True), *attempt("b", 2))
    found = judged(*STRUCK, *twice, unsettled(), UNACKED, by=Delivery(contract="effectively_once"))

    assert found.verdict is Verdict.VIOLATED
    assert found.reason.startswith("charge[b] was done more than once")


def test_given_checkers_that_ask_for_more_to_come_then_they_cannot_tell_either() -> None:
    pending = event(Kind.FINAL_RESULT, "a", pid=1, worker="", state="PENDING")

    for checker in (FinalState(ids=["a"], states=["SUCCESS"]), Attempts(ids=["a"], least=2)):
        assert judged(*STRUCK, unsettled(), UNACKED, pending, by=checker).verdict is Verdict.UNKNOWN
    assert judged(*STRUCK, unsettled(), UNACKED, by=Attempts(ids=["a"], most=0)).verdict is Verdict.VIOLATED


def test_given_more_of_them_than_a_judgement_names_then_it_is_none_of_the_apps_either() -> None:
    ids = [f"m{number:03}" for number in range(70)]
    waiting = [published(each) for each in ids]
    queued = [event(Kind.FINAL_QUEUE, pid=1, worker="", queue="q", ready=70, ids=ids)]
    found = judged(*waiting, unsettled(), *queued)
    assert found.verdict is Verdict.UNKNOWN
    assert "no worker was started" in found.reason
