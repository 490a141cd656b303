"""`compare`: which guarantees got worse between reports made by hand, what is blamed, and what cannot be compared."""

from typing import Any

import celery.app.defaults
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from report_by_hand import a_lost_row, a_report, a_row, an_unknown_row

from assay.audit.promises import DEFAULTS
from assay.compare import Comparison, baseline, compare
from assay.compare.comparison import WORSE, Kind
from assay.compare.trend import trend
from assay.errors import UsageError
from assay.report import Claim, Contract, Part, Report
from assay.reports import compare as told
from assay.reports import compare_markdown
from assay.verdict import Outcome, Result, Verdict

ON, PLACE = {"task_acks_late": True, "task_time_limit": 600}, "shop/celery.py:41"
CLAIMED = {"claim": "task_acks_late=True", "promise": "runs again"}
FAULTS = ("enter", "middle", "exit")
ROUTE = "{'a': {'queue': 'x'}}"


def app(settings: dict[str, Any] = ON, tasks: tuple[str, ...] = ("shop.charge",), **options: Any) -> dict[str, Any]:
    return {
        "name": "shop",
        "module": "shop.celery",
        "settings": settings,
        "origins": {key: {"given": key, "place": PLACE} for key in settings},
        "tasks": {name: {"name": name, "place": "shop/tasks.py:3", **options} for name in tasks},
    }


def killed(outcome: Outcome, task: str = "shop.charge", **fields: Any) -> list[Result]:
    """A row for each crash point, in which nothing is violated."""
    recovery_s = 0.4 if outcome is Outcome.RECOVERED else None
    given = {"fault": "SIGKILL child", "outcome": outcome, "recovery_s": recovery_s}
    return [a_row(f"acks_late.child_killed_{point}", task, **{**given, **fields}) for point in FAULTS]


def kinds(found: Comparison) -> list[Kind]:
    return [drift.kind for drift in found.drifts]


def test_given_a_setting_that_was_taken_out_then_one_line_with_its_place_names_all_that_got_weaker() -> None:
    base = a_report(*killed(Outcome.RECOVERED, **CLAIMED), app=app())
    current = a_report(*killed(Outcome.LOST), app=app({"task_time_limit": 600}))
    found = compare([base], current)
    (drift,) = found.drifts
    assert (found.exit_code, drift.kind, drift.changed, drift.place) == (1, Kind.WEAKER, True, PLACE)
    assert drift.cause == "task_acks_late: True -> not set"
    assert {(each.before, each.after, each.fault) for each in drift.changes} == {
        ("at-least-once", "lost", "SIGKILL child")
    }
    said = told.render(found, width=100, color=False)
    assert said.count("at-least-once -> lost") == 1
    assert f"task_acks_late: True -> not set  {PLACE}" in said
    assert "shop.charge, SIGKILL child: at-least-once -> lost" in said
    assert "acks_late: child_killed_enter, child_killed_middle, child_killed_exit" in said
    markdown = compare_markdown.render(found)
    assert "**`task_acks_late: True -> not set`** (shop/celery.py:41)" in markdown
    assert "shop.charge, SIGKILL child: **at-least-once -&gt; lost**" in markdown


def test_given_the_same_the_other_way_then_it_is_stronger_and_nothing_is_red() -> None:
    base = a_report(*killed(Outcome.LOST), app=app({"task_time_limit": 600}))
    found = compare([base], a_report(*killed(Outcome.RECOVERED, **CLAIMED), app=app()))
    assert (found.exit_code, kinds(found)) == (0, [Kind.STRONGER])
    assert "got better" in told.render(found, width=100, color=False)


def test_given_another_task_that_stands_for_the_profile_then_nothing_drifts() -> None:
    both = ["shop.charge", "shop.refund"]
    names = ("shop.charge", "shop.refund")
    base = a_report(*killed(Outcome.RECOVERED, "shop.charge", members=both), app=app(tasks=names))
    current = a_report(*killed(Outcome.RECOVERED, "shop.refund", members=both), app=app(tasks=names))
    found = compare([base], current)
    assert (found.exit_code, found.drifts, found.rows, found.same) == (0, [], 6, 6)


def test_given_one_member_of_a_profile_that_is_on_its_own_now_then_it_alone_drifts() -> None:
    names = ("shop.charge", "shop.refund")
    base = a_report(*killed(Outcome.RECOVERED, members=list(names)), app=app(tasks=names, acks_late=True))
    rows = [*killed(Outcome.RECOVERED), *killed(Outcome.LOST, "shop.refund")]
    changed = app(tasks=names, acks_late=True)
    changed["tasks"]["shop.refund"]["acks_late"] = False
    (drift,) = compare([base], a_report(*rows, app=changed)).drifts
    assert {change.tasks for change in drift.changes} == {("shop.refund",)}
    assert (drift.cause, drift.place) == ("shop.refund: acks_late: True -> off", "shop/tasks.py:3")


def test_given_a_row_that_is_violated_now_then_it_comes_before_what_is_weaker_and_what_is_unknown() -> None:
    base = a_report(a_row("a.one"), a_row("b.two"), a_row("c.three"), app=app())
    rows = [an_unknown_row("a.one"), a_row("b.two", outcome=Outcome.LOST, recovery_s=None), a_lost_row("c.three")]
    found = compare([base], a_report(*rows, app=app()))
    assert kinds(found) == [Kind.VIOLATED, Kind.WEAKER, Kind.UNKNOWN]
    assert found.exit_code == 1


@pytest.mark.parametrize(
    ("before", "after", "kind", "code"),
    [
        ([a_row()], [an_unknown_row("acks_late.main_killed")], Kind.UNKNOWN, 3),
        ([a_row(), a_row("retries.gives_up")], [a_row()], Kind.NOT_RUN, 3),
        ([a_lost_row()], [an_unknown_row("acks_late.main_killed")], Kind.UNDECIDED, 0),
        ([a_row(), a_lost_row("retries.gives_up")], [a_row()], Kind.UNDECIDED, 0),
        ([a_lost_row()], [a_row()], Kind.STRONGER, 0),
        ([a_row()], [a_row(), a_lost_row("retries.new")], Kind.VIOLATED, 1),
        ([a_row()], [a_row(), a_row("retries.new")], Kind.NEW, 0),
        ([a_row()], [a_lost_row(known="celery#1")], Kind.KNOWN, 0),
        ([a_lost_row(known="celery#1")], [a_lost_row()], Kind.VIOLATED, 1),
        ([a_row(recovery_s=3600.0)], [a_row(recovery_s=36000.0)], Kind.LATER, 1),
        ([a_row(outcome=Outcome.OK)], [a_row()], Kind.CHANGED, 0),
        ([a_row(outcome=Outcome.DUPLICATED)], [a_row(outcome=Outcome.FAILED)], Kind.WEAKER, 1),
    ],
)
def test_each_kind_of_drift_has_its_exit_code(before: list[Result], after: list[Result], kind: Kind, code: int) -> None:
    found = compare([a_report(*before, app=app())], a_report(*after, app=app()))
    assert (kinds(found), found.exit_code) == ([kind], code)


def test_given_a_recovery_that_is_longer_by_what_a_lost_child_may_take_then_nothing_is_told() -> None:
    base, current = (a_report(a_row(recovery_s=seconds), app=app()) for seconds in (0.1, 5.1))
    assert compare([base], current).drifts == []


def test_given_chaos_runs_then_verdicts_count_and_the_worst_of_what_was_drawn_does_not() -> None:
    base = a_report(a_row("chaos.sigterm"), app=app())
    drawn = a_row("chaos.sigterm", outcome=Outcome.LOST, recovery_s=99.0)
    assert compare([base], a_report(drawn, app=app())).drifts == []
    assert kinds(compare([base], a_report(a_lost_row("chaos.sigterm"), app=app()))) == [Kind.VIOLATED]


def test_given_a_promise_of_another_value_then_what_was_proved_is_void() -> None:
    def limited(seconds: int) -> Report:
        row = a_row(claim=f"task_time_limit={seconds}", promise=f"no attempt runs longer than {seconds} s")
        return a_report(row, app=app({"task_time_limit": seconds}))

    found = compare([limited(600)], limited(900))
    (drift,) = found.drifts
    assert (found.exit_code, drift.kind, drift.place) == (1, Kind.WITHDRAWN, PLACE)
    assert drift.cause == "task_time_limit: 600 -> 900"


def test_given_a_setting_without_which_its_scenarios_do_not_apply_then_its_promise_is_withdrawn() -> None:
    row = a_row("time_limits.hard", claim="task_time_limit=600", promise="no attempt runs longer than 600 s")
    found = compare([a_report(a_row(), row, app=app())], a_report(a_row(), app=app({"task_acks_late": True})))
    assert ([drift.cause for drift in found.drifts], found.exit_code) == (["task_time_limit: 600 -> not set"], 1)


def test_given_a_setting_that_promises_the_same_with_another_value_then_nothing_drifts() -> None:
    def stored(where: str) -> Report:
        return a_report(a_row(claim=f"result_backend={where}", promise="stored"), app=app({"result_backend": where}))

    found = compare([stored("redis://a")], stored("redis://b"))
    assert (found.drifts, [each.name for each in found.settings]) == ([], ["result_backend"])


def test_given_a_long_value_then_what_differs_in_it_is_told() -> None:
    rest = "'unacked_restore_interval': 10, 'socket_timeout': 5, 'a..."
    values = [f"{{'visibility_timeout': {each}, {rest}" for each in (3600, 60)]
    base, current = (a_report(a_row(), app=app({"broker_transport_options": value})) for value in values)
    (found,) = compare([base], current).settings
    assert str(found) == "broker_transport_options: 'visibility_timeout': 3600 -> 'visibility_timeout': 60"


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("10, 'b': 1, 'ends': 5, 'a': ...#1", "100000, 'b': 1, 'ends': 5...#2", "'interval': 10 -> 'interval': 100000"),
        ("10, 'ends': 5...#1", "10, 'ends': 5...#2", "what is cut off -> what is cut off"),
    ],
)
def test_given_values_that_are_cut_off_at_other_places_then_what_is_seen_of_one_alone_is_no_difference(
    before: str, after: str, told: str
) -> None:
    values = [f"{{'visibility_timeout': 3600, 'socket_timeout': 5, 'interval': {each}" for each in (before, after)]
    base, current = (a_report(a_row(), app=app({"broker_transport_options": value})) for value in values)
    (found,) = compare([base], current).settings
    assert str(found) == f"broker_transport_options: {told}"


def test_given_a_setting_of_many_entries_then_a_row_about_one_proves_nothing_of_another() -> None:
    def apps(interval: int) -> Report:
        value = f"{{'visibility_timeout': 3600, 'unacked_restore_interval': {interval}}}"
        return a_report(a_row(claim=f"broker_transport_options={value}"), app=app({"broker_transport_options": value}))

    assert compare([apps(10)], apps(10)).exit_code == 0
    assert [drift.kind for drift in compare([apps(10)], apps(100_000)).drifts] == [Kind.WITHDRAWN]


@pytest.mark.parametrize(
    ("before", "after", "withdrawn"),
    [
        ({"task_retry_on_worker_lost": True}, {}, True),
        ({"broker_connection_retry_on_startup": True}, {}, False),  # it is the default
        ({"worker_prefetch_multiplier": 4}, {}, False),
        ({"worker_prefetch_multiplier": 1}, {}, True),
        ({"task_create_missing_queues": False}, {}, True),
        (
            {"task_routes": "{'a': {'queue': 'x'}}"},
            {"task_routes": "{'a': {'queue': 'x'}, 'b': {'queue': 'y'}}"},
            False,
        ),
        ({"task_routes": "{'a': {'queue': 'x'}}"}, {"task_routes": "{'a': {'queue': 'y'}}"}, True),
        ({"result_backend": "redis://localhost/1"}, {"result_backend": "redis://elsewhere/1"}, False),
        ({"result_backend": "redis://localhost/1"}, {"result_backend": "rpc://"}, True),
        ({"worker_hijack_root_logger": True}, {"worker_hijack_root_logger": False}, False),  # it promises nothing
    ],
)
def test_given_a_setting_that_shows_in_no_row_then_it_counts_by_what_is_in_force(
    before: dict[str, Any], after: dict[str, Any], *, withdrawn: bool
) -> None:
    rows = killed(Outcome.RECOVERED, **CLAIMED)
    base, current = (a_report(*rows, app=app({**ON, **given})) for given in (before, after))
    found = compare([base], current)
    assert ([drift.kind for drift in found.drifts], found.exit_code) == ([Kind.WITHDRAWN] * withdrawn, int(withdrawn))


def test_given_a_setting_that_mends_a_row_then_what_it_was_before_is_no_promise_that_is_withdrawn() -> None:
    def apps(more: str, verdict: Verdict) -> Report:
        value = f"{{'visibility_timeout': 3600{more}}}"
        row = a_row("reconnect.black_hole_idle", verdict=verdict, claim="reconnecting")
        return a_report(row, app=app({"broker_transport_options": value}))

    deaf, mended = (
        apps(", 'socket_keepalive': False", Verdict.VIOLATED),
        apps(", 'socket_keepalive': True", Verdict.HELD),
    )
    assert kinds(compare([deaf], mended)) == [Kind.STRONGER]
    assert compare([mended], deaf).exit_code == 1


def test_given_retries_that_rows_were_about_then_another_number_of_them_is_proved_anew() -> None:
    few, many = app(max_retries=3), app(max_retries=5)
    gives_up = a_row("retries.gives_up", claim="autoretry_for=(OSError,)")
    assert compare([a_report(gives_up, app=few)], a_report(gives_up, app=many)).exit_code == 0
    assert compare([a_report(a_row(), app=few)], a_report(a_row(), app=many)).exit_code == 1


def test_what_is_said_to_be_the_default_is_celerys() -> None:
    theirs = {key: str(value) for key, value in celery.app.defaults.DEFAULTS.items()}
    theirs["broker_connection_retry_on_startup"] = theirs["broker_connection_retry"]  # where it is None
    known = {key: value for key, value in DEFAULTS.items() if key in theirs}
    assert known
    assert known == {key: theirs[key] for key in known}


def test_given_a_row_that_means_nothing_to_the_app_as_it_is_set_now_then_its_promise_is_withdrawn() -> None:
    """Where something else differs as well, nobody knows why it was not run."""
    patient, hasty = (app(default_retry_delay=delay) for delay in (60.0, 1.0))
    waits = a_row("retries.second_worker_while_it_waits", claim="broker_transport_options={}")
    base, current = a_report(a_row(), waits, app=patient), a_report(a_row(), app=hasty)
    assert [drift.kind for drift in compare([base], current).drifts] == [Kind.WITHDRAWN]
    current.environment = {**current.environment, "celery": "5.6.3"}
    assert Kind.NOT_RUN in [drift.kind for drift in compare([base], current).drifts]


def test_given_a_task_that_is_gone_then_it_is_told_once_and_is_red() -> None:
    base = a_report(
        *killed(Outcome.RECOVERED),
        *killed(Outcome.RECOVERED, "shop.refund"),
        app=app(tasks=("shop.charge", "shop.refund")),
    )
    found = compare([base], a_report(*killed(Outcome.RECOVERED), app=app()))
    assert ([drift.kind for drift in found.drifts], found.exit_code) == ([Kind.GONE], 1)
    assert "shop.refund is not in the app any more" in told.render(found, width=100, color=False)


def test_given_a_setting_that_nothing_reads_any_more_then_it_is_newly_violated() -> None:
    claim = Claim(setting="task_max_retries=3", promise="", verdict=Verdict.VIOLATED, place="shop/celery.py:60")
    base, current = a_report(a_row(), app=app()), a_report(a_row(), app=app(), claims=[claim])
    found = compare([base], current)
    assert ([(drift.kind, drift.place) for drift in found.drifts], found.exit_code) == (
        [(Kind.VIOLATED, "shop/celery.py:60")],
        1,
    )
    assert compare([current], current).exit_code == 0


def test_given_a_contract_that_cannot_be_kept_and_no_row_about_it_then_it_is_newly_violated() -> None:
    claim = Claim(setting="contract.queue=mail", promise="", verdict=Verdict.VIOLATED, tasks=["shop.charge"])
    found = compare([a_report(a_row(), app=app())], a_report(a_row(), app=app(), claims=[claim]))
    assert (kinds(found), found.drifts[0].changes[0].tasks, found.exit_code) == (
        [Kind.VIOLATED],
        ("shop.charge",),
        1,
    )


def test_given_a_contract_that_further_tasks_cannot_keep_then_they_alone_are_newly_violated() -> None:
    names = ("shop.charge", "shop.mail")
    base, current = (
        a_report(
            a_row(),
            app=app(tasks=names),
            claims=[Claim(setting="contract run_s=60", promise="", verdict=Verdict.VIOLATED, tasks=list(tasks))],
        )
        for tasks in (names[:1], names)
    )
    found = compare([base], current)
    assert (kinds(found), found.drifts[0].changes[0].tasks, found.exit_code) == ([Kind.VIOLATED], ("shop.mail",), 1)
    assert compare([current], base).exit_code == 0
    row = a_lost_row(claim="contract run_s=60")
    told = (msgspec.structs.replace(report, results=[row]) for report in (base, current))
    assert compare([next(told)], next(told)).exit_code == 1, "a row of one task is none of another"


def test_given_a_newer_celery_and_no_other_change_then_it_is_what_is_named() -> None:
    base, current = (
        a_report(*killed(outcome), app=app(), environment={"celery": version, "pool": "prefork"})
        for outcome, version in ((Outcome.RECOVERED, "5.6.3"), (Outcome.LOST, "5.7.0"))
    )
    (drift,) = compare([base], current).drifts
    assert drift.cause == "celery 5.6.3 -> 5.7.0"


def test_given_a_run_whose_canary_lived_then_nothing_that_held_is_proved() -> None:
    current = a_report(a_row(), app=app(), canary="not lost")
    assert compare([a_report(a_row(), app=app())], current).exit_code == 3


def runs_of(*rows: Result, **fields: Any) -> list[Report]:
    return [a_report(row, app=app(), started_at=f"2026-11-0{day}", **fields) for day, row in enumerate(rows, 1)]


def test_given_a_row_that_differs_among_runs_of_the_base_then_it_is_flaky_and_turns_nothing() -> None:
    bases = runs_of(a_row(), a_row(outcome=Outcome.DUPLICATED, recovery_s=None), a_row())
    for outcome, kind, code in (
        (Outcome.DUPLICATED, Kind.FLAKY, 0),
        (Outcome.RECOVERED, Kind.FLAKY, 0),
        (Outcome.LOST, Kind.WEAKER, 1),
    ):
        found = compare(bases, a_report(a_row(outcome=outcome, recovery_s=None), app=app()))
        assert (kinds(found), found.exit_code, found.runs) == ([kind], code, 3)


@pytest.mark.parametrize(
    ("earlier", "after", "kind", "code"),
    [
        ("red held held held", "red", Kind.VIOLATED, 1),
        ("unknown held held", "unknown", Kind.UNKNOWN, 3),
        ("red held unknown", "red", Kind.VIOLATED, 1),
        ("red known", "red", Kind.VIOLATED, 1),
        ("held red", "red", Kind.FLAKY, 0),
        ("held unknown", "unknown", Kind.FLAKY, 0),
        ("red held held", "held", Kind.FLAKY, 0),
    ],
)
def test_given_a_violation_that_was_mended_and_is_back_then_it_is_no_noise(
    earlier: str, after: str, kind: Kind, code: int
) -> None:
    rows = {
        "red": a_lost_row(),
        "known": a_lost_row(known="celery#1"),
        "held": a_row(),
        "unknown": an_unknown_row("acks_late.main_killed"),
    }
    found = compare(runs_of(*(rows[each] for each in earlier.split())), a_report(rows[after], app=app()))
    assert (kinds(found), found.exit_code) == ([kind], code)


def test_given_runs_of_other_settings_in_the_base_then_they_are_not_used_and_that_is_said() -> None:
    older = a_report(a_lost_row(), app=app({"task_time_limit": 600}), started_at="2026-11-01")
    newer = a_report(a_row(), app=app(), started_at="2026-11-02")
    found = compare([newer, older], a_report(a_row(), app=app()))
    assert (found.runs, found.drifts) == (1, [])
    assert "2026-11-01 is not used" in found.notes[0]
    assert "task_acks_late: not set -> True" in found.notes[0]


def timed(day: int, *seconds: float) -> Report:
    rows = [
        a_row(f"acks_late.child_killed_{number}", fault="SIGKILL child", recovery_s=each, duration_s=2.0)
        for number, each in enumerate(seconds)
    ]
    return a_report(*rows, app=app(), started_at=f"2026-11-0{day}")


QUICK = (0.2, 0.3, 0.2, 0.2, 0.3, 4.6, 0.2, 0.25, 0.2, 0.3)


def test_given_enough_runs_then_a_recovery_that_is_slower_throughout_is_told_and_turns_nothing() -> None:
    bases = [timed(day, *QUICK) for day in (1, 2, 3)]
    found = compare(bases, timed(4, *[each + 4 for each in QUICK]))
    assert [(each.what, each.slower) for each in found.timings] == [("recovery after SIGKILL child", True)]
    assert found.exit_code == 0
    assert "recovery after SIGKILL child: 0.2 s -> 4.2 s, slower" in told.render(found, width=100, color=False)


def test_given_runs_that_differ_as_much_among_themselves_then_nothing_is_told_of_times() -> None:
    bases = [timed(day, *[each + day for each in QUICK]) for day in (1, 3, 5)]
    assert compare(bases, timed(6, *[each + 6 for each in QUICK])).timings == []
    assert compare(bases[:2], timed(6, *[each + 6 for each in QUICK])).untested_times


@pytest.mark.parametrize(
    ("base", "current", "said"),
    [
        ({"app": {**app(), "name": "bank", "module": "bank"}}, {}, "another app: bank, and the current run about shop"),
        ({"environment": {"bodies": "live"}}, {"environment": {"bodies": "hollow"}}, "ran live bodies"),
        ({"results": [a_row("chaos.sigterm")]}, {}, "the base is a chaos run"),
        ({}, {"selection": {"suites": ["retries"]}}, "1 row of the base: suite acks_late"),
        ({}, {"selection": {"scenarios": ["child_*"]}}, "1 row of the base: acks_late.main_killed"),
        ({}, {"results": []}, "the current run has no rows"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_the_reason(
    base: dict[str, Any], current: dict[str, Any], said: str
) -> None:
    fields = {"bodies": "hollow"}
    reports = [
        msgspec.structs.replace(a_report(a_row(), app=app(), environment=fields), **changes)
        for changes in (base, current)
    ]
    with pytest.raises(UsageError, match=said):
        compare(reports[:1], reports[1])


def test_given_a_wider_choice_then_what_the_base_left_out_is_new_and_turns_nothing() -> None:
    base = a_report(a_row(), app=app(), selection={"suites": ["acks_late"]})
    found = compare([base], a_report(a_row(), a_lost_row("retries.gives_up"), app=app()))
    assert (kinds(found), found.exit_code) == ([Kind.NEW], 0)


rows = st.builds(
    lambda scenario, verdict, outcome, known: a_row(
        scenario, verdict=verdict, outcome=outcome, recovery_s=None, known=known if verdict == "violated" else ""
    ),
    st.sampled_from(["a.one", "a.two", "b.one"]),
    st.sampled_from(Verdict),
    st.sampled_from([None, *Outcome]),
    st.sampled_from(["", "celery#1"]),
)
reports = st.lists(rows, min_size=1, max_size=3, unique_by=lambda row: row.scenario).map(
    lambda some: a_report(*some, app=app(), verdict=Verdict.HELD, exit_code=0)
)

slowly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # as a busy machine is


@slowly
@given(reports)
def test_a_run_beside_itself_has_no_drift(report: Report) -> None:
    found = compare([report], report)
    assert (found.exit_code, found.drifts, found.settings, found.environment) == (0, [], [], [])


@slowly
@given(rows, rows)
def test_no_row_is_worse_than_another_that_is_worse_than_it(one: Result, other: Result) -> None:
    other = msgspec.structs.replace(other, suite=one.suite, scenario=one.scenario)
    first, second = (a_report(row, app=app(), verdict=Verdict.HELD, exit_code=0) for row in (one, other))
    forth, back = kinds(compare([first], second)), kinds(compare([second], first))
    assert not ({*forth} & WORSE and {*back} & WORSE)


def test_given_a_setting_that_promised_by_being_off_then_switching_it_on_withdraws_the_promise() -> None:
    off, on = app({"task_create_missing_queues": False}), app({"task_create_missing_queues": True})
    row = a_row("routing.undeclared_queue", claim="task_create_missing_queues=False", promise="a misspelt queue fails")
    (drift,) = compare([a_report(row, app=off)], a_report(a_row("routing.consumed"), app=on)).of(Kind.WITHDRAWN)
    assert drift.cause == "task_create_missing_queues: False -> True"


def test_given_a_setting_that_was_switched_off_and_shows_in_no_row_then_its_promise_is_withdrawn_all_the_same() -> None:
    """Another one does the same today, and nobody would notice when that one goes too."""
    on = app({"task_acks_late": True, "task_retry_on_worker_lost": True, "worker_hijack_root_logger": True})
    off = app({"task_acks_late": True, "task_retry_on_worker_lost": False, "worker_hijack_root_logger": False})
    rows = killed(Outcome.RECOVERED, **CLAIMED)
    found = compare([a_report(*rows, app=on)], a_report(*rows, app=off))
    assert ([(drift.kind, drift.cause) for drift in found.drifts], found.exit_code) == (
        [(Kind.WITHDRAWN, "task_retry_on_worker_lost: True -> False")],
        1,
    )
    assert "no row differs: a task whose worker is lost is retried" in told.render(found, width=200, color=False)
    assert compare([a_report(*rows, app=off)], a_report(*rows, app=on)).exit_code == 0, "what was off promised nothing"


def held_to(**parts: Any) -> list[Contract]:
    demanded = [Part(name=name, value=value, demanded=True, place="assay.toml:4") for name, value in parts.items()]
    return [Contract(task="shop.charge", parts=[*demanded, Part(name="attempts", value=4, by="max_retries=3")])]


@pytest.mark.parametrize(
    ("before", "after", "cause"),
    [
        ({"run_s": 60.0}, {}, "shop.charge: contract run_s: 60 -> not set"),
        ({"run_s": 60.0}, {"run_s": 90.0}, "shop.charge: contract run_s: 60 -> 90"),
        ({"run_s": "soon"}, {"run_s": 30.0}, "shop.charge: contract run_s: soon -> 30"),
        ({"queue": "fast"}, {"queue": "slow"}, "shop.charge: contract queue: fast -> slow"),
        (
            {"delivery": "effectively_once"},
            {"delivery": "at_least_once"},
            "shop.charge: contract delivery: effectively_once -> at_least_once",
        ),
        ({"run_s": 60.0}, {"run_s": 30.0}, ""),
        ({"delivery": "at_least_once"}, {"delivery": "effectively_once"}, ""),
        ({}, {"run_s": 30.0}, ""),
    ],
)
def test_given_a_contract_that_requires_less_than_before_then_it_is_told_though_every_row_is_as_it_was(
    before: dict[str, Any], after: dict[str, Any], cause: str
) -> None:
    rows = killed(Outcome.RECOVERED, **CLAIMED)
    base, current = (a_report(*rows, app=app(), contracts=held_to(**parts)) for parts in (before, after))
    found = compare([base], current)
    assert [(drift.kind, drift.cause, drift.place) for drift in found.drifts] == (
        [(Kind.WITHDRAWN, cause, "assay.toml:4")] if cause else []
    )
    assert found.exit_code == bool(cause)
    kept = baseline.parse(baseline.render(baseline.of([base])[0]))
    assert compare(kept, current).exit_code == bool(cause), "a baseline keeps what was required"


def test_a_known_violation_does_not_turn_the_trend_of_its_guarantee() -> None:
    known = a_lost_row("acks_late.quit_cold", known="celery#1", **CLAIMED)
    held = a_report(a_row(**CLAIMED), known, app=app(), started_at="1")
    broken = a_report(a_lost_row(**CLAIMED), known, app=app(), started_at="2")
    (guarantee,) = trend([held, broken]).guarantees
    assert (guarantee.verdicts, guarantee.held, guarantee.rows) == ([Verdict.HELD, Verdict.VIOLATED], [1, 0], [2, 2])
