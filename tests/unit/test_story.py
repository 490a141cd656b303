"""One invocation's life, told in order from a history written by hand."""

from pathlib import Path

import pytest

from assay.errors import UsageError
from assay.event import Event, Kind, encode
from assay.story import find_life, sentence, tell, told

ID = "3f2a91c4-0000"
MS = 1_000_000
LIFE = [
    Event(0, Kind.WORKER_SPAWNED, 1, "w1", detail={"pid": 10}),
    Event(1 * MS, Kind.RECEIVED, 10, "w1", "another"),
    Event(2 * MS, Kind.PUBLISHED, 1, "", ID, "shop.charge", detail={"queue": "default"}),
    Event(5 * MS, Kind.RECEIVED, 10, "w1", ID, "shop.charge", detail={"queue": "default", "redelivered": False}),
    Event(6 * MS, Kind.ATTEMPT_STARTED, 11, "w1", ID, "shop.charge", "a1", {"retries": 0}),
    Event(9 * MS, Kind.FAULT_LANDED, 1, "w1", detail={"fault": "kill", "target": 11, "point": "body_middle"}),
    Event(1_009 * MS, Kind.RECEIVED, 10, "w1", ID, "shop.charge", detail={"redelivered": True}),
    Event(2_009 * MS, Kind.SETTLED, 1),
    Event(2_010 * MS, Kind.FINAL_UNACKED, 1, detail={"ids": [ID]}),
]


def test_a_life_has_times_lanes_and_plain_words() -> None:
    assert told(LIFE, ID) == [
        f"{ID}  shop.charge",
        "  +0.000 s  harness      published to queue default",
        "  +0.003 s  w1 main 10   delivered from queue default",
        "  +0.004 s  w1 child 11  attempt starts",
        "  +0.007 s  harness      FAULT landed: kill, pid 11, at point body_middle (w1)",
        "  +1.007 s  w1 main 10   delivered again",
        "  +2.007 s  harness      the run has settled: broker empty, no attempt open",
        "  +2.008 s  harness      at the end still unacknowledged in the broker",
    ]


def test_what_befell_others_is_told_where_it_may_have_mattered() -> None:
    others = [
        Event(3 * MS, Kind.WORKER_SPAWNED, 1, "w2", detail={"pid": 20}),
        Event(7 * MS, Kind.FAULT_LANDED, 1, "w2", "another", detail={"fault": "elsewhere"}),
        Event(8 * MS, Kind.FAULT_LANDED, 1, "w1", "another", detail={"fault": "beside it"}),
        Event(1_500 * MS, Kind.FAULT_LANDED, 1, "w1", "another", detail={"fault": "afterwards"}),
        Event(1_600 * MS, Kind.UNSETTLED, 1, detail={"open": ["something"]}),
    ]
    text = "\n".join(told(sorted([*LIFE, *others], key=lambda event: event.at_ns), ID))
    assert "beside it" in text
    assert "elsewhere" not in text
    assert "afterwards" not in text
    assert "w2" not in text
    assert "did not settle" not in text
    assert "has settled" in text


def test_a_life_begins_when_its_publication_was_asked_for() -> None:
    late = [
        Event(4 * MS, Kind.RECEIVED, 10, "w1", ID, "shop.charge", detail={"queue": "default"}),
        Event(9 * MS, Kind.PUBLISHED, 1, "", ID, "shop.charge", detail={"asked_at_ns": 1 * MS}),
    ]
    assert [line.split()[0] for line in told(late, ID)[1:]] == ["+0.000", "+0.003"]


def test_nothing_recorded_is_said() -> None:
    assert told(LIFE, "nobody") == ["nothing is recorded of nobody"]


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_of_event_has_a_sentence(kind: Kind) -> None:
    assert sentence(Event(0, kind, 1))


def test_a_death_tells_signal_or_status() -> None:
    assert "killed by signal 9" in sentence(Event(0, Kind.WORKER_EXITED, 1, detail={"pid": 4, "status": -9}))
    assert "with exit status 1" in sentence(Event(0, Kind.WORKER_EXITED, 1, detail={"pid": 4, "status": 1}))


def test_escape_codes_of_the_users_errors_do_not_reach_the_terminal() -> None:
    assert "\x1b" not in sentence(Event(0, Kind.ACK_FAILED, 1, detail={"error": "\x1b[31mred\x1b[0m"}))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    for scenario, invocation in (("one", ID), ("two", "3f2b0000"), ("three", "3f2b")):
        events = tmp_path / scenario / "events"
        events.mkdir(parents=True)
        line = encode(Event(1, Kind.PUBLISHED, 1, invocation=invocation, task="shop.charge"))
        (events / "1-0.jsonl").write_bytes(line + b"\n" + b'{"torn')
    return tmp_path


def test_a_unique_beginning_finds_the_invocation_and_its_history(run: Path) -> None:
    assert find_life(run, "3f2a") == (run / "one", ID)
    assert find_life(run, "3f2b") == (run / "three", "3f2b")


def test_torn_lines_are_told(run: Path) -> None:
    assert "1 last lines were torn" in tell(run / "one", ID)


@pytest.mark.parametrize(("prefix", "message"), [("3f2", "3 invocations in"), ("zz", "no invocation in")])
def test_an_unclear_beginning_is_an_error(run: Path, prefix: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        find_life(run, prefix)


def test_a_body_that_raised_tells_what_it_said() -> None:
    raised = Event(0, Kind.BODY_EXITED, 1, detail={"raised": "KeyError", "message": "'order'"})
    assert sentence(raised) == "body raised KeyError: 'order'"
    assert sentence(Event(0, Kind.BODY_EXITED, 1, detail={"raised": "Broken", "message": ""})) == "body raised Broken"
