"""Each fault of a chaos run shows the bug that it is for, and nothing in an app without it."""

from pathlib import Path

import pytest
from beds import APPS
from campaigns import LOSES, chaos, rows
from leftovers import assay

from assay import memory_limit

OOM = pytest.mark.skipif(bool(memory_limit.obstacle()), reason=memory_limit.obstacle())


@pytest.mark.parametrize(
    ("fault", "flips", "row", "outcome"),
    [
        pytest.param("out-of-memory", LOSES, "out_of_memory", "lost", marks=OOM),
        ("crash-burst", LOSES, "crash_burst", "lost"),
        ("broker-restarted", "deaf_after_loss", "fresh_tasks", "stuck"),
        # lost where it was away at STARTED: the body is never entered then, and the message is acknowledged
        ("results-away", "gives_up_storing,impatient", "results_away", "ok or lost"),
        ("connection-slowed", "hurries", "messages_reach_workers", "lost"),
        ("rolling-restart", "hangs_at_stop", "workers_stop", "stuck"),
        ("scaled-to-none", "hangs_at_stop", "workers_stop", "stuck"),
        ("recycling-storm", "hangs_at_stop", "workers_stop", "stuck"),
    ],
)
def test_given_a_bug_that_a_fault_shows_then_its_row_is_red_and_the_twins_is_not(
    tmp_path: Path, fault: str, flips: str, row: str, outcome: str
) -> None:
    number = "60" if outcome == "lost" else "30"  # which is not what a fault costs at every crash point
    some = ("--faults", fault, "--broker", "redis", "--tasks", number, "--intensity", "0.1")
    found = rows(chaos(tmp_path, *some, flips=flips)[1])
    red = found[row]
    assert found[fault.replace("-", "_")]["landed"] > 0
    assert red["verdict"] == "violated", red["reason"]
    assert red["outcome"] in outcome.split(" or "), red["reason"]
    assert ("SUCCESS is due" in red["reason"]) == (fault == "results-away"), red["reason"]
    twin = rows(chaos(tmp_path, *some, out="twin")[1])
    struck = twin[fault.replace("-", "_")]
    assert struck["verdict"] == "held", struck["reason"]
    assert struck["landed"] > 0
    if row != "workers_stop":  # Celery itself may hang there: docs/celery-findings.md
        assert twin[row]["verdict"] == "held", twin[row]["reason"]


@pytest.mark.parametrize("fault", ["clock-ahead", "sigstop-past-visibility"])
def test_given_a_worker_that_takes_over_what_another_still_does_then_it_is_done_twice(
    tmp_path: Path, fault: str
) -> None:
    some = ("--faults", fault, "--tasks", "30", "--intensity", "0.1")
    row = fault.replace("-", "_")
    _, report = chaos(tmp_path, *some)
    assert rows(report)[row]["verdict"] == "held"
    assert not [said for said in report["redirected"] if "did not heal" in said], "one that took over was struck too"
    _, report = chaos(tmp_path, *some, "--delivery", "effectively_once", flips="no_deduplication", out="once")
    assert rows(report)[row]["outcome"] == "duplicated"


@pytest.mark.parametrize("broker", ["fakeredis", "redis"])
def test_given_a_broker_that_comes_back_empty_then_what_it_had_is_lost_by_that_and_nothing_else(
    tmp_path: Path, broker: str
) -> None:
    status, report = chaos(
        tmp_path, "--faults", "broker-emptied", "--broker", broker, "--tasks", "60", "--intensity", "0.1"
    )
    found = rows(report)
    assert status == 1
    assert (found["broker_emptied"]["verdict"], found["broker_emptied"]["outcome"]) == ("violated", "lost")
    assert "appendonly" in found["broker_emptied"]["remedy"]
    others = [row for name, row in found.items() if name != "broker_emptied"]
    assert others
    assert [row["reason"] for row in others if row["verdict"] != "held"] == []


@pytest.mark.parametrize(
    ("fault", "arguments", "said"),
    [
        ("broker-restarted", (), "the embedded broker has none; use --broker redis or rabbitmq"),
        ("crash-burst", ("--pool", "solo"), "crash burst needs a prefork pool: the pool is solo"),
        ("results-away", ("-A", "without_results:app"), "results away needs results that are stored where the run can"),
    ],
)
def test_given_a_fault_that_cannot_strike_here_then_that_is_said_before_the_run(
    tmp_path: Path, fault: str, arguments: tuple[str, ...], said: str
) -> None:
    every = ("chaos", "-A", "twin:app", "--faults", fault, *arguments, "--intensity", "1", "--out", str(tmp_path / "r"))
    status, _, err = assay(*every, cwd=APPS, tmp=tmp_path)
    assert status == 2
    assert said in " ".join(err.split())
