"""Forgetting plain lives changes no judgement, and what is left is proportional to what is open."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import get_args

import pytest
from histories import (
    At,
    acked,
    attempt,
    event,
    killed,
    published,
    received,
    result,
    signal,
    started,
    still_queued,
    story,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from random_histories import histories

from assay import checkers
from assay.checker import Checker, check
from assay.checkers import (
    Ahead,
    Attempts,
    Bystanders,
    Callbacks,
    Delivery,
    Evidence,
    FinalState,
    Grace,
    Isolation,
    Ledgers,
    Leftovers,
    Liveness,
    LongestRun,
    NextTask,
    Order,
    Published,
    Reached,
    Recovery,
    Recycling,
    Restarted,
    RetryPolicy,
    Revoked,
    Routing,
    Shutdown,
    Signals,
    StaysRevoked,
    Stops,
    TimeLimit,
    Told,
    Undeclared,
    Unknown,
    Whole,
)
from assay.checkers.canvas import Due
from assay.event import Event, Kind, encode
from assay.fold import fold
from assay.history import History
from assay.verdict import Judgement, Verdict

IDS = ["i0", "i2", "i5", "never"]
EACH: tuple[Checker, ...] = (
    *(Delivery(contract=contract) for contract in ("any", "at_most_once", "at_least_once", "effectively_once")),
    Delivery(contract="effectively_once", ids=IDS),
    Delivery(contract="effectively_once", task="shop.charge", besides=IDS, received=True),
    *(Attempts(least=least, most=most) for least in (0, 1, 2) for most in (None, 0, 1, 3)),
    Attempts(ids=IDS, least=1, most=1),
    *(Bystanders(ids=ids) for ids in (IDS, [])),
    *(
        Callbacks(ids=IDS, queue=queue, of={"i0": ["i1", "i5"]}, most=most)
        for queue in ("", "shop")
        for most in (1, None)
    ),
    *(Evidence(landed=n, in_flight=flying, settled=calm) for n in (0, 1) for flying in (0, 1) for calm in (0, 1)),
    *(FinalState(ids=ids, states=["SUCCESS"]) for ids in (IDS, [])),
    Grace(enough=IDS[:1], less=IDS[1:], limit_s=2.0),
    *(Isolation(ids=ids, within_s=0.06) for ids in (IDS, [])),
    *(Ahead(worker="w1", most=most) for most in (1, 2)),
    *(Ledgers(ids=ids) for ids in (IDS, [])),
    *(Leftovers(), Leftovers(processes=False), Leftovers(messages=False)),
    *(Liveness(ids=IDS, within_s=within_s) for within_s in (0.05, 9.0)),
    *(NextTask(ids=ids) for ids in (IDS, [])),
    Order(ids=IDS, before={"i2": ["i0"], "i5": ["i0", "i2"]}),
    *(Published(ids=ids) for ids in (IDS, [])),
    Reached(),
    *(LongestRun(ids=ids, within_s=0.1) for ids in (IDS, [])),
    *(Recovery(within_s=0.1, ids=ids) for ids in (IDS, [])),
    *(Recycling(most=most, replaced=replaced) for most in (1, 2, 4) for replaced in (True, False)),
    *(Restarted(before=before) for before in ([11, 12], [11, 12, 13, 14])),
    *(RetryPolicy(ids=ids, retries=1, delays_s=[(60.0, 60.0)], scale=60.0) for ids in (IDS, [])),
    *(Revoked(ids=ids) for ids in (IDS, [])),
    *(Routing(queues={"shop.charge": "shop"}, consumers=who) for who in ({}, {"w1": ["mail"]})),
    *(Shutdown(status=status, waits=waits) for status in (0, None) for waits in (True, False)),
    *(Signals(ids=ids) for ids in (IDS, [])),
    *(StaysRevoked(ids=ids, promised=promised) for ids in (IDS, []) for promised in (True, False)),
    Stops(),
    *(TimeLimit(ids=ids, hard_s=1.0) for ids in (IDS, [])),
    *(Told(ids=ids, times={"task_success": 1, "task_failure": 0, "link": 0}) for ids in (IDS, [])),
    *(Undeclared(ids=ids) for ids in (IDS, [])),
    *(Unknown(ids=ids) for ids in (IDS, [])),
    *(Whole(due=due, ids=IDS, ends=IDS[:2], results=kept) for due in get_args(Due) for kept in (True, False)),
)
PLAIN = (published(), received(), *attempt(), acked())
FORGETFUL = (
    Delivery(contract="effectively_once"),
    Ledgers(),
    Leftovers(),
    Evidence(),
    Recovery(within_s=9.0),
    Signals(),
)
LATER = {
    "delivered again": (received(redelivered=True), *attempt(number=2), acked()),
    "attempted again": attempt(number=2),
    "acknowledged again": (acked(),),
    "killed afterwards": killed(),
    "held afterwards": (event(Kind.HELD, "a", pid=11, point="after_trace"),),
    "failure told": (signal("task_failure"),),
    "revoked": (event(Kind.REVOKED, "a"),),
    "result FAILURE": (result("FAILURE"),),
    "result STARTED": (result("STARTED"),),
    "in a queue": (still_queued("a"),),
    "unacknowledged": (event(Kind.FINAL_UNACKED, pid=1, ids=["a"]),),
}


class Counted:
    """A history that counts how often it is read."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        self.read = 0

    def __iter__(self) -> Iterator[Event]:
        self.read += 1
        return iter(self.events)


def keeping(checker: Checker, events: Sequence[Event]) -> Judgement:
    return check([checker], iter(events))[0]  # an iterator cannot be read twice, so nothing is forgotten


def same(one: Judgement, other: Judgement) -> bool:
    """In all but the ids of those that are well: forgotten ones cannot be named."""
    told = one.invocations == other.invocations or one.verdict is Verdict.HELD
    fields = ("checker", "verdict", "reason", "outcome", "recovery_s", "figures")
    return told and all(getattr(one, field) == getattr(other, field) for field in fields)


def many(number: int, open_: int = 0) -> list[Event]:
    """Plain lives, then some that are still open."""
    parts: list[At] = []
    for each in range(number):
        parts += [published(f"i{each}"), received(f"i{each}"), *attempt(f"i{each}"), acked(f"i{each}")]
    for each in range(number, number + open_):
        parts += [published(f"i{each}"), received(f"i{each}"), *started(f"i{each}")]
    return story(*parts)


def test_every_checker_is_compared() -> None:
    assert {type(checker) for checker in EACH} == set(checkers.ALL)


@settings(deadline=None)
@given(events=histories())
def test_each_checker_says_the_same(events: list[Event]) -> None:
    for checker in EACH:
        forgot, kept = check([checker], events)[0], keeping(checker, events)
        assert same(forgot, kept), (forgot, kept)


@settings(deadline=None)
@given(events=histories(), chosen=st.sets(st.sampled_from(range(len(EACH))), min_size=2, max_size=4))
def test_together_they_say_the_same(events: list[Event], chosen: set[int]) -> None:
    some = [EACH[number] for number in sorted(chosen)]
    for forgot, checker in zip(check(some, events), some, strict=True):
        assert same(forgot, keeping(checker, events))


@settings(deadline=None)
@given(events=histories(), seed=st.integers(0, 2**32))
def test_the_same_of_files_with_torn_ends(events: list[Event], seed: int) -> None:
    rnd = Random(seed)
    lines: dict[int, list[bytes]] = {}
    for each in events:
        lines.setdefault(each.pid, []).append(encode(each) + b"\n")
    with TemporaryDirectory() as folder:
        (Path(folder) / "events").mkdir()
        for pid, written in lines.items():
            if rnd.random() < 0.5:
                written[-1] = written[-1][: rnd.randrange(len(written[-1]))]
            (Path(folder) / "events" / f"{pid}-1.jsonl").write_bytes(b"".join(written))
        history = History(Path(folder))
        survived = list(history)
        for checker in EACH:
            assert same(check([checker], history)[0], keeping(checker, survived))


@pytest.mark.parametrize("what", LATER)
def test_one_that_is_heard_of_again_is_seen_whole(what: str) -> None:
    history = Counted([*story(*PLAIN, *LATER[what])])

    for checker in FORGETFUL:
        assert same(check([checker], history)[0], keeping(checker, history.events))
    assert history.read == 2 * len(FORGETFUL)


@pytest.mark.parametrize("last", ["ack", "end", "publish"])
def test_whichever_comes_last_closes_it(last: str) -> None:
    orders = {
        "ack": PLAIN,
        "end": (published(), received(), acked(), *attempt()),
        "publish": (received(), *attempt(), acked(), published()),
    }
    lives, world = fold(story(*orders[last]), [lambda life: True])

    assert not lives
    assert world.forgotten == {"shop.charge": 1}


@pytest.mark.parametrize("state", ["SUCCESS", "ignored"])
def test_a_result_that_agrees_needs_no_second_reading(state: str) -> None:
    history = Counted(story(*PLAIN, result(state)))
    (judged,) = check([Ledgers()], history)

    assert (judged.verdict, history.read) == (Verdict.HELD, 1)


def test_what_is_kept_does_not_grow_with_the_history() -> None:
    for number in (10, 1000):
        lives, world = fold(many(number, open_=3), [lambda life: True])
        assert (len(lives), world.forgotten.total(), len(world.children)) == (3, number, 1)


def test_ids_are_kept_whatever_the_checker_says() -> None:
    lives, _ = fold(many(10), [lambda life: True], ["i3", "i7"])

    assert list(lives) == ["i3", "i7"]


def test_a_checker_that_cannot_do_without_keeps_all() -> None:
    seen = []

    class Own:
        def judge(self, lives: dict[str, object], world: object) -> Judgement:
            seen.extend(lives)
            return Judgement("own", Verdict.HELD, "")

    check([Delivery(contract="any"), Own()], many(5))

    assert len(seen) == 5


def test_one_that_raises_when_it_is_asked_keeps_all_and_the_others_still_judge() -> None:
    class Raises:
        def forgets(self, life: object) -> bool:
            raise ZeroDivisionError

        def judge(self, lives: dict[str, object], world: object) -> Judgement:
            raise ZeroDivisionError

    own, delivery = check([Raises(), Delivery(contract="any")], many(5))

    assert (own.verdict, delivery.verdict) == (Verdict.UNKNOWN, Verdict.HELD)
    assert delivery.figures["ok"] == 5


def test_what_was_in_flight_when_a_fault_landed_is_kept() -> None:
    fault = event(Kind.FAULT_LANDED, pid=1, fault="connection", target=10, signal="SIGTERM")
    during = story(*PLAIN[:3], fault, *PLAIN[3:])
    after = story(*PLAIN, fault)

    assert [len(fold(events, [lambda life: True])[0]) for events in (during, after)] == [1, 0]
