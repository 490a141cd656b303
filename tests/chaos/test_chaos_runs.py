"""Many faults on a loaded cluster: what holds is held, what is lost or doubled is named, replayed and made smaller."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from beds import APPS
from leftovers import assay

from assay import memory_limit
from assay.history import History

FAULTS = "sigkill-child,sigkill-main,sigkill-group,sigstop,connection-reset"
LOSES = "early,lost_is_no_retry,keeps_lost"
TEN_LINES = ("-A", "twin:app", "--task", "work", "--tasks", "120", "--intensity", "0.2")


def chaos(tmp: Path, *arguments: str, seed: int = 3, flips: str = "", out: str = "run") -> tuple[int, dict[str, Any]]:
    status, said, err = assay(
        *("chaos", *TEN_LINES, "--seed", str(seed), "--out", str(tmp / out), *arguments),
        cwd=APPS,
        tmp=tmp,
        env={"ASSAY_TEST_FLIP": flips},
        timeout_s=400,
    )
    assert status in (0, 1), f"exit {status}\n{said}\n{err}"
    report: dict[str, Any] = json.loads((tmp / out / "report.json").read_text())
    return status, report


def rows(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["scenario"]: row for row in report["results"]}


@pytest.mark.parametrize("broker", ["fakeredis", "redis"])
def test_given_an_app_that_keeps_its_promises_then_nothing_is_lost(tmp_path: Path, broker: str) -> None:
    _, report = chaos(tmp_path, "--faults", FAULTS, "--broker", broker)
    found = rows(report)
    assert {row["verdict"] for row in found.values()} == {"held"}, report["results"]
    assert {"sigkill_child", "sigkill_main", "sigkill_group", "sigstop", "connection_reset"} <= set(found)
    assert all(found[name]["landed"] == found[name]["injected"] > 0 for name in found if name.startswith("sig"))
    assert report["lost"] == 0
    assert report["landed"] >= 5
    kept = {each.name.partition(".")[0] for each in (tmp_path / "run/chaos/scripts").iterdir()}
    struck = {event.invocation for event in History(tmp_path / "run/chaos") if event.kind == "fault_injected"}
    assert kept & struck
    assert len(kept - struck) < 20, "of what is done nothing is kept: a long run does not fill the folder"


def test_given_a_pool_of_threads_then_main_is_killed_between_two_messages_too(tmp_path: Path) -> None:
    _, report = chaos(tmp_path, "--faults", "sigkill-main", "--pool", "threads")
    found = rows(report)
    assert {row["verdict"] for row in found.values()} == {"held"}, report["results"]
    assert found["sigkill_main"]["landed"] >= 5


def test_given_early_acknowledgement_then_each_lost_invocation_is_named_with_what_killed_it(tmp_path: Path) -> None:
    status, report = chaos(tmp_path, "--faults", "sigkill-child,sigkill-group", flips=LOSES)
    assert status == 1
    found = rows(report)
    for name in ("sigkill_child", "sigkill_group"):
        assert found[name]["verdict"] == "violated"
        assert found[name]["outcome"] == "lost"
        assert "the fault: SIGKILL" in found[name]["reason"]
    lost = {each for judgement in found["sigkill_child"]["judgements"] for each in judgement["invocations"]}
    struck = {e.invocation for e in History(tmp_path / "run/chaos") if e.kind == "fault_landed"}
    assert lost
    assert lost <= struck


def test_given_a_task_that_is_not_idempotent_then_what_ran_twice_is_named(tmp_path: Path) -> None:
    demand = ("--faults", "sigkill-child", "--delivery", "effectively_once", "--intensity", "0.4")
    assert rows(chaos(tmp_path, *demand)[1])["sigkill_child"]["verdict"] == "violated", "killed at its body's end"
    status, report = chaos(tmp_path, *demand, flips="no_deduplication", out="second")
    assert status == 1
    assert rows(report)["sigkill_child"]["outcome"] == "duplicated"
    assert "done more than once" in rows(report)["sigkill_child"]["reason"]


def test_a_red_run_is_replayed_made_smaller_and_its_test_is_red_until_the_app_is_mended(tmp_path: Path) -> None:
    assert chaos(tmp_path, "--faults", FAULTS, flips=LOSES)[0] == 1
    folder, tests = str(tmp_path / "run"), tmp_path / "reliability"

    def again(*arguments: str, out: str) -> tuple[int, str, str]:
        env = {"ASSAY_TEST_FLIP": LOSES}
        return assay(*arguments, "--out", str(tmp_path / out), cwd=APPS, tmp=tmp_path, env=env, timeout_s=400)

    status, said, err = again("replay", folder, "--times", "2", out="again")
    assert status == 1, err
    assert "REPRODUCED 2 of 2" in said
    status, said, err = again("shrink", folder, "--tests", str(tests), out="small")
    assert status == 1, err
    assert "to 1, from 120 invocations to 1" in said
    (test,) = tests.iterdir()
    assert passes(test, flips=LOSES) == 1
    assert passes(test, flips="") == 0


def passes(test: Path, *, flips: str) -> int:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--assay-workdir={APPS}", str(test)]
    run = subprocess.run(
        command,
        cwd=test.parent,
        env={"PATH": "/usr/bin:/bin", "ASSAY_TEST_FLIP": flips},
        capture_output=True,
        text=True,
    )
    assert run.returncode in (0, 1), run.stdout + run.stderr
    return run.returncode


def test_a_run_is_judged_again_from_its_folder_and_one_that_was_broken_off_is_unknown(tmp_path: Path) -> None:
    first, report = chaos(tmp_path, "--faults", "sigkill-child")
    status, said, _ = assay("check", str(tmp_path / "run"), "--json", "-", cwd=tmp_path, tmp=tmp_path)
    assert status == first, "which is not 0 where the release lacks a setting of the app's"
    again = json.loads(said)["results"]
    assert [(row["scenario"], row["verdict"]) for row in again] == [
        (row["scenario"], row["verdict"]) for row in report["results"]
    ]
    for file in (tmp_path / "run/chaos/events").glob("*.jsonl"):
        lines = file.read_bytes().splitlines(keepends=True)
        file.write_bytes(b"".join(line for line in lines if b'"final_unacked"' not in line))
    said = assay("check", str(tmp_path / "run"), "--json", "-", cwd=tmp_path, tmp=tmp_path)[1]
    assert {row["verdict"] for row in json.loads(said)["results"]} == {"unknown"}


OOM = pytest.mark.skipif(bool(memory_limit.obstacle()), reason=memory_limit.obstacle())


@pytest.mark.parametrize(
    ("fault", "flips", "row", "outcome"),
    [
        pytest.param("out-of-memory", LOSES, "out_of_memory", "lost", marks=OOM),
        ("crash-burst", LOSES, "crash_burst", "lost"),
        ("broker-restarted", "deaf_after_loss", "fresh_tasks", "stuck"),
        ("results-away", "gives_up_storing,impatient", "results_away", "ok"),
        ("rolling-restart", "hangs_at_stop", "workers_stop", "stuck"),
        ("scaled-to-none", "hangs_at_stop", "workers_stop", "stuck"),
        ("recycling-storm", "hangs_at_stop", "workers_stop", "stuck"),
    ],
)
def test_given_a_bug_that_a_fault_shows_then_its_row_is_red_and_the_twins_is_not(
    tmp_path: Path, fault: str, flips: str, row: str, outcome: str
) -> None:
    some = ("--faults", fault, "--broker", "redis", "--tasks", "60", "--intensity", "0.1")
    red = rows(chaos(tmp_path, *some, flips=flips)[1])[row]
    assert (red["verdict"], red["outcome"]) == ("violated", outcome), red["reason"]
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
    some = ("--faults", fault, "--tasks", "60", "--intensity", "0.1")
    row = fault.replace("-", "_")
    _, report = chaos(tmp_path, *some)
    assert rows(report)[row]["verdict"] == "held"
    assert not [said for said in report["redirected"] if "did not heal" in said], "one that took over was struck too"
    _, report = chaos(tmp_path, *some, "--delivery", "effectively_once", flips="no_deduplication", out="once")
    assert rows(report)[row]["outcome"] == "duplicated"


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


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("chaos", "--faults", "sigkill-chidl"), "there is no fault sigkill-chidl; did you mean sigkill-child"),
        (("chaos", "--tasks", "shop.*"), "'shop.*' is no number of invocations; tasks are chosen with --task"),
        (("chaos", "--seed", "seven"), "'seven' is not a valid integer"),
        (("chaos", "--duration", "soon"), "--duration soon is no time: say it as 60s, 5m or 8h"),
        (("chaos", "--task", "wrok"), "no task is named wrok; did you mean"),
        (("replay", "nowhere"), "nowhere"),
    ],
)
def test_bad_input_is_told_in_one_message(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    out = () if arguments[0] == "replay" else ("--out", str(tmp_path / "run"))
    status, _, err = assay(*arguments, "-A", "twin:app", *out, cwd=APPS, tmp=tmp_path)
    assert status == 2
    assert said in err
    assert "Traceback" not in err


def test_what_is_no_chaos_run_is_not_replayed_and_a_damaged_script_is_told(tmp_path: Path) -> None:
    chaos(tmp_path, "--faults", "sigkill-child", "--tasks", "20")
    (tmp_path / "run/chaos.toml").write_text("seed = ")
    status, _, err = assay("replay", str(tmp_path / "run"), "--out", str(tmp_path / "b"), cwd=APPS, tmp=tmp_path)
    assert status == 2
    assert "chaos.toml is no script of a chaos run" in err
    status, _, err = assay("shrink", str(tmp_path / "run"), "--out", str(tmp_path / "c"), cwd=APPS, tmp=tmp_path)
    assert status == 2
