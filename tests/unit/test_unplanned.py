"""What was asked for and is in no row is told, with what the app is without."""

from pathlib import Path

import pytest
from targets import subject, task

from assay.errors import UsageError
from assay.plan import left_out, members, rows
from assay.selection import Selection
from assay.settings import Settings
from assay.subject import Subject

SHOP = subject(task(name="shop.charge"))
LIMITED = subject(task(name="shop.charge", soft_time_limit=5.0))


def told(shop: Subject, pool: str = "prefork", **patterns: tuple[str, ...]) -> list[str]:
    settings, only = Settings(workdir=Path(), out=Path()), Selection(**patterns)
    groups = members(settings, shop, only)
    return left_out(settings, shop, pool, groups, only, rows(settings, shop, pool, groups, only))


def planned(shop: Subject, pool: str) -> list[str]:
    settings, only = Settings(workdir=Path(), out=Path()), Selection()
    return [row.scenario.full_name for row in rows(settings, shop, pool, members(settings, shop, only), only)]


def test_given_a_suite_beside_another_that_applies_then_it_is_told_what_the_app_is_without() -> None:
    assert told(SHOP, suites=("time_limits", "routing")) == [
        "suite time_limits: nothing applies: no selected task has a time limit"
    ]
    assert told(LIMITED, suites=("time_limits", "routing")) == []
    assert told(SHOP) == told(SHOP, suites=("*",)) == []


def test_given_suites_by_patterns_then_each_reason_is_told() -> None:
    assert told(SHOP, suites=("re[tc][ry]*s", "recycling", "routing")) == [
        "suite re[tc][ry]*s: nothing applies: no selected task retries",
        "suite recycling: nothing applies: neither worker_max_tasks_per_child nor worker_max_memory_per_child nor "
        "worker_pool_restarts is set",
    ]


def test_given_a_scenario_then_its_pool_or_what_it_means_is_told() -> None:
    killed, limit = "acks_late.child_killed_middle", "time_limits.hard*"
    assert told(SHOP, "solo", scenarios=("consumed", killed)) == [
        f"scenario {killed}: does not apply: not with pool solo"
    ]
    assert told(LIMITED, scenarios=("consumed", limit)) == [
        f"scenario {limit}: does not apply: it means nothing for the selected tasks with these settings"
    ]


def test_given_what_the_suite_is_about_then_the_app_is_not_said_to_be_without_it() -> None:
    grows = subject(task(name="shop.charge"), max_memory_per_child=200_000)
    assert told(grows, "threads", suites=("recycling", "routing")) == []
    (said,) = told(grows, "threads", scenarios=("recycling.memory_limit", "consumed"))
    assert said == "scenario recycling.memory_limit: does not apply: not with pool threads"


@pytest.mark.parametrize("pool", ["solo", "threads"])
@pytest.mark.parametrize("kib", [100_000, 4_000_000])
def test_given_a_memory_limit_that_the_pool_ignores_then_a_row_is_about_it(pool: str, kib: int) -> None:
    shop = subject(task(name="shop.charge"), max_memory_per_child=kib)
    assert "recycling.memory_limit_in_this_pool" in planned(shop, pool)
    assert "recycling.memory_limit_in_this_pool" not in planned(shop, "prefork") + planned(SHOP, pool)
    assert "recycling.memory_limit" in planned(shop, "prefork"), "however large it is: it is scaled"


@pytest.mark.parametrize(
    ("given", "about"),
    [
        ({"time_limit": 60.0, "soft_time_limit": 50.0}, ["limit", "soft_limit"]),
        ({"time_limit": 60.0}, ["limit"]),
        ({"soft_time_limit": 50.0}, ["soft_limit"]),
        ({"time_limit": 60.0, "soft_time_limit": 70.0}, ["limit"]),  # which is a claim of its own: assay.dead
        ({}, []),
    ],
)
def test_given_limits_that_the_pool_ignores_then_a_row_is_about_each(given: dict[str, float], about: list[str]) -> None:
    shop = subject(task(name="shop.charge", **given))
    found = planned(shop, "solo")
    assert [name for name in found if "in_this_pool" in name] == [f"time_limits.{each}_in_this_pool" for each in about]


@pytest.mark.parametrize("pool", ["solo", "threads"])
def test_given_a_whole_run_then_suites_that_its_pool_rules_out_are_told_in_one_note(pool: str) -> None:
    assert told(SHOP, pool) == [f"suites reconnect and results are left out: not with pool {pool}"]
    assert told(SHOP, pool, tasks=("charge",)) == told(SHOP, pool)
    assert told(SHOP, pool, suites=("routing",)) == told(SHOP, pool, scenarios=("consumed",)) == []


def test_given_nothing_else_then_the_refusal_has_the_reason() -> None:
    with pytest.raises(
        UsageError, match=r"^no selected scenario applies .*; suite time_limits: .*: no selected task has"
    ):
        told(SHOP, suites=("time_limits",))


def test_given_a_task_that_no_selected_scenario_is_about_then_it_is_told() -> None:
    shop = subject(task(name="shop.charge", time_limit=5.0), task(name="shop.mail"))
    assert told(shop, suites=("time_limits",), tasks=("charge", "mail")) == [
        "task mail: no selected scenario applies to it"
    ]
