"""Each part of a contract is red on an app that breaks it, and green on its twin that keeps it."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from assay.progress import Silent
from assay.report import Report
from assay.run import check_again, run
from assay.selection import Selection
from assay.settings import load
from assay.verdict import Outcome, Verdict

APP = """
from celery import Celery
app = Celery("small", broker="redis://localhost:1/0", backend="redis://localhost:1/1")
app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True)
app.conf.broker_transport_options = {"visibility_timeout": 700}
def made(name, **options):
    @app.task(name=name, **options)
    def body(): ...
"""
#: {scenario: (options of the task that breaks it, of the one that keeps it, the contract of both)}
PAIRS: dict[str, tuple[str, str, str]] = {
    "acks_late.recovers_in_time": ("acks_late=False", "", "{'recovery_s': 900}"),
    "retries.no_more_than_contract": (
        "autoretry_for=(OSError,), max_retries=5",
        "autoretry_for=(OSError,), max_retries=2",
        "{'attempts': 3}",
    ),
    "time_limits.no_longer_than_contract": ("time_limit=61", "time_limit=60", "{'run_s': 60}"),
    "routing.queue_of_contract": ("queue='elsewhere'", "", "{'queue': 'celery'}"),
}
#: what one app shows with two contracts, and what cannot be told
CONTRACTS = {
    "once": ("acks_late.child_killed_exit", "{'delivery': 'at_most_once'}", Verdict.VIOLATED),
    "at_least": ("acks_late.child_killed_exit", "{'delivery': 'at_least_once'}", Verdict.HELD),
    "soon": ("acks_late.recovers_in_time_main_killed", "{'recovery_s': 600}", Verdict.VIOLATED),
    "open": ("acks_late.recovers_in_time_main_killed", "{'recovery_s': 750}", Verdict.UNKNOWN),
    "late": ("acks_late.recovers_in_time_main_killed", "{'recovery_s': 900}", Verdict.HELD),
    "given_up": ("acks_late.main_killed_middle", "{'delivery': 'at_most_once'}", Verdict.HELD),
    "endless": ("time_limits.no_longer_than_contract", "{'run_s': 30}", Verdict.VIOLATED),
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, Path]:
    """All pairs as tasks of one app, in one run; the key `delivery` is for nobody but who says none."""
    folder = tmp_path_factory.mktemp("contracts")
    lines = [
        f"made('{kind}.{scenario}', {options}{', ' * bool(options)}assay={contract})"
        for scenario, (broken, kept, contract) in PAIRS.items()
        for kind, options in (("breaks", broken), ("keeps", kept))
    ]
    lines += [
        f"made('{name}', acks_late={name != 'given_up'}, assay={contract})"
        for name, (_, contract, _) in CONTRACTS.items()
    ]
    (folder / "small.py").write_text("\n".join([APP, *lines]))
    (folder / "assay.toml").write_text(
        f"app = 'small:app'\nqueues = ['celery', 'elsewhere']\njobs = 6\ncanary = false\nout = '{folder}/run'\n"
        "[[contract]]\ntasks = 'late'\nimportance = 3\n"
    )
    settings = load({}, cwd=folder)
    scenarios = tuple({*PAIRS, *(scenario for scenario, _, _ in CONTRACTS.values())})
    return run(settings, Selection(scenarios=scenarios), Silent()), settings.out


def row(report: Report, scenario: str, task: str) -> Any:
    (found,) = [each for each in report.results if f"{each.suite}.{each.scenario}" == scenario and each.task == task]
    return found


@pytest.mark.parametrize("scenario", PAIRS)
def test_a_part_is_red_on_an_app_that_breaks_it_and_green_on_one_that_keeps_it(
    scenario: str, ran: tuple[Report, Path]
) -> None:
    report, _ = ran
    broken, kept = row(report, scenario, f"breaks.{scenario}"), row(report, scenario, f"keeps.{scenario}")
    assert (broken.verdict, kept.verdict) == (Verdict.VIOLATED, Verdict.HELD), f"{broken.reason}; {kept.reason}"
    part = PAIRS[scenario][2].split("'")[1]
    assert broken.claim.startswith(f"contract {part}=")
    assert broken.place.startswith("small.py:")
    assert broken.remedy


@pytest.mark.parametrize("task", CONTRACTS)
def test_one_app_is_judged_by_what_each_of_its_tasks_requires(task: str, ran: tuple[Report, Path]) -> None:
    report, _ = ran
    scenario, _, verdict = CONTRACTS[task]
    found = row(report, scenario, task)
    assert found.verdict is verdict, found.reason
    if scenario.endswith("exit"):
        assert found.outcome is Outcome.DUPLICATED
    if task == "given_up":
        assert found.outcome is Outcome.LOST
    if task == "open":
        assert "in production it may be up to 8" in found.reason
    if task == "endless":
        assert "nothing ended its attempt" in found.reason


def test_the_most_important_is_told_first_and_the_folder_says_the_same_again(ran: tuple[Report, Path]) -> None:
    report, out = ran
    assert report.results[0].task == report.contracts[0].task == "late"
    again = check_again(out)
    assert [(each.task, each.verdict) for each in again.results] == [(e.task, e.verdict) for e in report.results]
    assert msgspec.to_builtins(again.contracts) == msgspec.to_builtins(report.contracts)
