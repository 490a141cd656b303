"""Many faults on a loaded cluster: what holds is held, what is lost or doubled is named."""

import json
from collections import Counter
from pathlib import Path

import pytest
from beds import APPS
from campaigns import FAULTS, LOSES, chaos, not_held, rows
from leftovers import assay

from assay.chaos.script import NAME, read
from assay.history import History


@pytest.mark.parametrize("broker", ["fakeredis", "redis"])
def test_given_an_app_that_keeps_its_promises_then_nothing_is_lost(tmp_path: Path, broker: str) -> None:
    _, report = chaos(tmp_path, "--faults", FAULTS, "--broker", broker)
    found = rows(report)
    assert found
    assert not not_held(report), not_held(report)
    assert {"sigkill_child", "sigkill_main", "sigkill_group", "sigstop", "connection_reset"} <= set(found)
    drawn = Counter(strike.fault for strike in read(tmp_path / "run" / NAME).faults)
    landed = {row["fault"]: row["landed"] for row in report["results"]}
    assert all(landed[fault] >= number for fault, number in drawn.items()), "one that did not land is thrown again"
    assert report["lost"] == 0
    assert report["landed"] >= 5
    kept = {each.name.partition(".")[0] for each in (tmp_path / "run/chaos/scripts").iterdir()}
    struck = {event.invocation for event in History(tmp_path / "run/chaos") if event.kind == "fault_injected"}
    assert kept & struck
    assert len(kept - struck) < 20, "of what is done nothing is kept: a long run does not fill the folder"


def test_given_threads_that_take_the_interpreter_then_main_is_killed_between_two_messages_too(tmp_path: Path) -> None:
    _, report = chaos(tmp_path, "-A", "busy:app", "--faults", "sigkill-main", "--pool", "threads")
    assert not not_held(report), not_held(report)
    assert rows(report)["sigkill_main"]["landed"] >= 5


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


def test_a_run_is_judged_again_from_its_folder_and_one_that_was_broken_off_is_unknown(tmp_path: Path) -> None:
    first, report = chaos(tmp_path, "--faults", "sigkill-child")
    status, said, _ = assay("check", str(tmp_path / "run"), "--json", "-", cwd=tmp_path, tmp=tmp_path)
    assert status == first, "which is not 0 where the release lacks a setting of the app's"
    again = json.loads(said)["results"]
    assert [(row["scenario"], row["verdict"]) for row in again] == [
        (row["scenario"], row["verdict"]) for row in report["results"]
    ]
    facts = json.loads((tmp_path / "run/facts.json").read_text())
    (tmp_path / "run/facts.json").write_text(json.dumps(facts | {"duration_s": 0.0, "files": {}, "events": {}}))
    for file in (tmp_path / "run/chaos/events").glob("*.jsonl"):
        lines = file.read_bytes().splitlines(keepends=True)
        file.write_bytes(b"".join(line for line in lines if b'"final_unacked"' not in line))
    said = assay("check", str(tmp_path / "run"), "--json", "-", cwd=tmp_path, tmp=tmp_path)[1]
    assert {row["verdict"] for row in json.loads(said)["results"]} == {"unknown"}


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
