"""When nothing is open any more, told from events written by hand and a broker that is empty."""

import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from assay.errors import HarnessError
from assay.event import Event, Kind
from assay.settle import Ledger, leaves_orphans

ID = "3f2a91c4-0000"


def ledger(
    *events: Event,
    late: bool = True,
    unacked: Sequence[str] = (),
    taking: Callable[[], int] = lambda: 0,
    stale: Callable[[int], bool] = lambda since_ns: False,
) -> Ledger:
    subject = SimpleNamespace(
        tasks=[SimpleNamespace(name="shop.charge", acks_late=late)],
        all_queues=lambda: ["celery"],
        priority_steps=(0,),
        separator="",
    )
    broker = SimpleNamespace(
        depths=lambda *_: {"celery": 0},
        unacked=lambda *_: list(unacked),
        taking=lambda db: taking(),
        stale=lambda db, since_ns: stale(since_ns),
    )
    cluster: Any = SimpleNamespace(
        subject=subject,
        broker=broker,
        db=0,
        invocations={ID: "shop.charge", "other": "shop.charge"},
        workers=[],
        key_prefix="",
        beyond_visibility_s=3660.0,
        advance=lambda: None,
        listen=lambda hear: [hear(each) for each in events],
        wait=lambda *_, **__: None,
    )
    return Ledger(cluster)


def event(kind: Kind, pid: int = 10, attempt: str = "", worker: str = "w1", **detail: Any) -> Event:
    return Event(0, kind, pid, worker, ID, "shop.charge", attempt, detail)


PUBLISHED = event(Kind.PUBLISHED, 1, worker="")
TAKEN = [PUBLISHED, event(Kind.RECEIVED), event(Kind.ATTEMPT_STARTED, 11, "11-1")]
ENDED = event(Kind.ATTEMPT_ENDED, 11, "11-1", state="SUCCESS")


def test_a_message_that_nobody_received_is_open() -> None:
    assert ledger(PUBLISHED).open() == ["3f2a91c4 was not received"]


def test_an_attempt_is_open_until_it_ends() -> None:
    assert ledger(*TAKEN).open() == ["3f2a91c4 runs in w1"]
    assert ledger(*TAKEN, ENDED).open() == []


def test_what_is_to_stand_is_not_waited_for() -> None:
    assert ledger(*TAKEN, unacked=[ID]).open([ID]) == []
    assert ledger(*TAKEN, unacked=["another"]).open([ID]) == ["another is unacknowledged"]


def test_an_attempt_of_a_killed_child_is_open_until_main_has_dealt_with_it() -> None:
    """It notices, and only then a failure is stored, a retry sent or a message given back."""
    killed = [*TAKEN, event(Kind.FAULT_LANDED, 1, target=11, signal="SIGKILL")]
    noticed = [*killed, event(Kind.CHILD_LOST, child=11, exitcode=-9)]
    assert ledger(*killed).open() == ledger(*noticed).open() == ["3f2a91c4 runs in w1"]
    retried = [*noticed, event(Kind.SENT), event(Kind.LOSS_HANDLED, child=11)]
    assert ledger(*retried).open() == ["3f2a91c4 was not received"]
    assert ledger(*noticed, event(Kind.LOSS_HANDLED, child=11)).open() == []


def test_an_attempt_that_ends_its_child_is_open_until_main_has_dealt_with_it() -> None:
    ended = [event(Kind.WORKER_STARTED), *TAKEN, event(Kind.ATTEMPT_ENDED, 11, "11-1", leaves=True)]
    assert ledger(*ended).open() == ["3f2a91c4 runs in w1"]
    assert ledger(*ended, event(Kind.LOSS_HANDLED, child=11)).open() == []
    in_main = [PUBLISHED, event(Kind.RECEIVED), event(Kind.ATTEMPT_STARTED, 10, "10-1")]
    assert ledger(ended[0], *in_main, event(Kind.ATTEMPT_ENDED, 10, "10-1", leaves=True)).open() == []


def test_a_job_that_the_pool_hands_on_is_open_in_its_new_child_alone() -> None:
    handed_on = [
        *TAKEN,
        event(Kind.FAULT_LANDED, 1, target=11, signal="SIGKILL"),
        event(Kind.CHILD_LOST, child=11, handed_on=True),
        event(Kind.ATTEMPT_STARTED, 12, "12-1"),
    ]
    assert ledger(*handed_on).open() == ["3f2a91c4 runs in w1"]
    assert ledger(*handed_on, event(Kind.ATTEMPT_ENDED, 12, "12-1", state="SUCCESS")).open() == []


@pytest.mark.parametrize("kind", [Kind.LOSS_HANDLED, Kind.CHILD_KILLED])
def test_what_has_replaced_a_task_is_open_though_the_child_of_the_first_is_lost(kind: Kind) -> None:
    both = [*TAKEN, event(Kind.SENT, 11), event(Kind.RECEIVED), event(Kind.ATTEMPT_STARTED, 12, "12-1")]
    assert ledger(*both, event(kind, child=11)).open() == ["3f2a91c4 runs in w1"]
    assert ledger(*both, event(kind, child=11), event(Kind.ATTEMPT_ENDED, 12, "12-1", state="SUCCESS")).open() == []
    accepted = [*TAKEN, event(Kind.SENT, 11), event(Kind.RECEIVED), event(Kind.ACCEPTED, child=12)]
    assert ledger(*accepted, event(kind, child=11), late=False).open() == ["3f2a91c4 was accepted"]


def test_what_goes_back_to_its_queue_is_due_again() -> None:
    back = [*TAKEN, event(Kind.REJECTED, requeue=True), event(Kind.LOSS_HANDLED, child=11)]
    assert ledger(*back).open() == ["3f2a91c4 was not received"]
    assert ledger(*back, event(Kind.RECEIVED)).open() == []


def test_a_task_acknowledged_early_is_open_between_its_acceptance_and_its_start() -> None:
    accepted = [PUBLISHED, event(Kind.RECEIVED), event(Kind.ACCEPTED, child=11)]
    assert ledger(*accepted, late=False).open() == ["3f2a91c4 was accepted"]
    assert ledger(*accepted).open() == [], "the broker shows one that is acknowledged late"
    begun = [*accepted, event(Kind.ATTEMPT_STARTED, 11, "11-1"), ENDED]
    assert ledger(*begun, late=False).open() == []


def test_nothing_runs_in_a_worker_that_is_gone() -> None:
    assert ledger(*TAKEN, event(Kind.WORKER_EXITED, 1)).open() == []


def test_a_message_that_the_broker_gives_back_by_itself_is_not_due_a_second_time() -> None:
    again = event(Kind.RECEIVED, redelivered=True)
    assert ledger(*TAKEN, ENDED, again, event(Kind.SENT, 11)).open() == ["3f2a91c4 was not received"]


def test_what_reached_no_worker_is_waited_for_a_while_and_then_written_off() -> None:
    vanished = ledger(PUBLISHED)
    assert vanished.backlog() == 1
    vanished.write_off()  # its events are of long ago
    assert vanished.backlog() == 0
    assert vanished.open() == []
    late = ledger(msgspec.structs.replace(PUBLISHED, at_ns=time.monotonic_ns()))
    late.write_off()
    assert late.backlog() == 1


def test_what_a_dead_worker_had_is_orphaned_though_another_message_has_vanished() -> None:
    other = msgspec.structs.replace(PUBLISHED, invocation="other")
    gone = event(Kind.WORKER_EXITED, pid=1, status=-9)
    found = ledger(PUBLISHED, other, event(Kind.RECEIVED), gone, unacked=[ID])
    found.write_off()
    assert found.orphaned()
    assert not ledger(PUBLISHED, event(Kind.RECEIVED), unacked=[ID]).orphaned()


def test_what_a_lost_connection_gave_back_is_not_its_workers_any_more() -> None:
    closed, other = event(Kind.CONNECTION_CLOSED), event(Kind.RECEIVED, worker="w2", redelivered=True)
    gone = event(Kind.WORKER_EXITED, worker="w2", pid=1, status=-9)
    assert ledger(PUBLISHED, event(Kind.RECEIVED), closed, other, gone, unacked=[ID]).orphaned()


def test_what_is_being_given_back_is_not_orphaned_before_its_new_worker_says_that_it_has_it() -> None:
    """It is unacknowledged there already, and the worker that had it is gone."""
    gone = msgspec.structs.replace(event(Kind.WORKER_EXITED, pid=1, status=-9), at_ns=time.monotonic_ns())
    events = [PUBLISHED, event(Kind.RECEIVED), gone]
    assert not ledger(*events, unacked=[ID], taking=lambda: 1).orphaned()
    assert ledger(*events, unacked=[ID]).orphaned()


@pytest.mark.parametrize("answers", [[False, True], [False, True, False, True]])
def test_orphans_that_ended_the_wait_are_left_though_one_is_given_back_just_then(answers: list[bool]) -> None:
    """The worker that gives it back is only the first that is needed: there may be others' messages."""
    assert leaves_orphans(lambda enough: not [enough() for _ in answers], iter([*answers, False]).__next__)
    assert not leaves_orphans(lambda enough: not enough(), lambda: False), "settled"
    assert not leaves_orphans(lambda enough: enough(), lambda: False), "given up"


def test_nothing_is_at_rest_while_a_worker_may_have_a_message_that_it_has_not_noted() -> None:
    """It is in no queue and not unacknowledged then; one that asks for no other is given up after a while."""
    just_now = [msgspec.structs.replace(each, at_ns=time.monotonic_ns()) for each in (PUBLISHED, event(Kind.RECEIVED))]
    assert not ledger(*just_now, taking=lambda: 1).rests(())
    assert ledger(*just_now).rests(())
    assert ledger(PUBLISHED, event(Kind.RECEIVED), taking=lambda: 1).rests(())


def test_a_message_of_which_nobody_knows_whether_it_arrived_is_not_waited_for_but_its_retry_is() -> None:
    doubt = event(Kind.PUBLISH_IN_DOUBT, 1, worker="", error="OperationalError: reset")
    assert ledger(doubt).open() == []
    arrived = [doubt, event(Kind.RECEIVED), event(Kind.ATTEMPT_STARTED, 11, "11-1"), event(Kind.SENT, 11, "11-1")]
    assert ledger(*arrived, ENDED).open() == ["3f2a91c4 was not received"]


def asked(it: Ledger) -> Ledger:
    """One whose cluster asks a condition once where it would wait."""
    it._cluster.wait = lambda condition, timeout_s: condition()  # type: ignore[method-assign,assignment]
    return it


DONE = [*TAKEN, ENDED]


def test_an_empty_broker_is_not_believed_while_its_numbers_are_older_than_the_last_event() -> None:
    moments: list[int] = []

    def stale(since_ns: int) -> bool:
        moments.append(since_ns)
        return len(moments) == 1

    it = ledger(*DONE, stale=stale)
    assert it.open() == ["the broker has not yet counted what is unacknowledged"]
    assert it.open() == []
    assert moments == [0, 0], "the last event's time"


@pytest.mark.parametrize(("unacked", "open_"), [((), []), ((ID,), ["3f2a91c4 is unacknowledged"])])
def test_given_no_time_left_then_what_the_broker_has_not_yet_counted_is_waited_for(
    unacked: tuple[str, ...], open_: list[str]
) -> None:
    answers = iter([True])
    it = asked(ledger(*DONE, unacked=unacked, stale=lambda since_ns: next(answers, False)))
    still_open, _ = it.settle(0.0, lambda: False)
    assert still_open == open_


def test_given_numbers_that_get_no_newer_then_nothing_is_judged_by_them() -> None:
    with pytest.raises(HarnessError, match="is older than"):
        asked(ledger(*DONE, stale=lambda since_ns: True)).count()
    assert not ledger(*DONE).count(), "there is nothing to wait for where they are exact"
