"""Each rule of an audit finds what it is for, and says nothing of an app that is as it should be."""

from typing import Any

import pytest
from targets import subject, task

from assay.audit.finding import Kind
from assay.audit.rule import View, look, rules
from assay.audit.states import State, states
from assay.audit.written import Dispatch, Entry, Misplaced, Unreached, Written
from assay.contract.terms import Terms
from assay.subject import Setting, Task, Unrouted

RELIABLE: dict[str, Any] = {
    "acks_late": True,
    "reject_on_worker_lost": True,
    "retry_on_worker_lost": True,
    "soft_time_limit": 570.0,
    "time_limit": 600.0,
}
APP: dict[str, Any] = {
    "prefetch_multiplier": 1,
    "silence": {"socket_timeout": 5.0},
    "restore_period_s": 10.0,
    "result_backend": "redis",
}
VALUES = {"result_expires": 86400.0, "timezone": "UTC", "accept_content": ["json"], "task_serializer": "json"}
RETRIES = RELIABLE | {"autoretry_for": ("OSError",), "retry_backoff": 1.0}


def on(key: str, value: Any = True, **options: Any) -> Setting:
    return Setting(key, value, place=f"shop.py:{len(key)}", **options)


def view(
    *tasks: Task, settings: tuple[Setting, ...] = (), pool: str = "prefork", queues: Any = (), **changes: Any
) -> View:
    """One sound task where none is given; `changes` are of the app, or of what is written."""
    written = {key: changes.pop(key) for key in list(changes) if key in Written.__struct_fields__}
    values = VALUES | written.pop("values", {})
    app = subject(*(tasks or (task(**RELIABLE),)), settings=settings, **{**APP, **changes})
    return View(app, Written(values=values, **written), pool, queues)


def late(**changes: Any) -> Task:
    return task(**{**RELIABLE, **changes})


PLANTED = {
    "rejected_too_late": view(task(reject_on_worker_lost=True, time_limit=9.0)),
    "lost_child_is_acknowledged": view(late(reject_on_worker_lost=False, retry_on_worker_lost=False)),
    "comes_back_for_ever": view(late(retry_on_worker_lost=False)),
    "failed_comes_back": view(late(acks_on_timeout=False)),
    "nothing_to_deduplicate": view(settings=(on("worker_deduplicate_successful_tasks"),), result_backend="rpc"),
    "hoards": view(prefetch_multiplier=4),
    "waits_behind_a_long_task": view(task(time_limit=9.0)),
    "not_of_this_pool": view(settings=(on("task_time_limit", 600.0),), pool="solo"),
    "not_of_its_contract": view(late(contract=Terms(run_s=60.0))),
    "no_limit": view(late(time_limit=None, soft_time_limit=None)),
    "zero_is_no_limit": view(zero_limits=["shop.charge"]),
    "memory_is_not_bounded": view(settings=(on("worker_max_tasks_per_child", 50),)),
    "visible_again_too_soon": view(visibility_timeout=300.0),
    "given_back_late": view(restore_period_s=100.0),
    "deaf_on_a_dead_connection": view(silence={}),
    "no_confirms": view(broker_scheme="amqp"),
    "lost_connection_and_running_tasks": view(broker_scheme="amqp", confirms=True),
    "leaves_with_its_connection": view(values={"broker_connection_retry": False}),
    "retries_at_start": view(values={"broker_connection_retry": False}),
    "acts_on_sigquit_alone": view(settings=(on("worker_soft_shutdown_timeout", 20.0),)),
    "annotated_too_late": view(annotated_late=["shop.charge"]),
    "errors_by_name": view(strings=["shop.charge"]),
    "retried_without_end": view(task(**RETRIES | {"max_retries": None})),
    "retried_in_step": view(task(**RETRIES | {"retry_backoff": 0})),
    "every_error_is_retried": view(broad=["shop.charge"]),
    "expired_before_its_retry": view(task(**RETRIES | {"retry_backoff": 0, "expires": 60.0})),
    "database_errors_are_not_tried_again": view(
        settings=(on("result_backend_always_retry"),), result_backend="django-db"
    ),
    "nobody_consumes": view(late(queue="mail")),
    "undeclared": view(late(queue=""), undeclared=["shop.charge"]),
    "sent_to_nobody": view(dispatches=[Dispatch(place="views.py:3", method="apply_async", queue="mial")]),
    "not_imported": view(unreached=[Unreached("shop.jobs", "shop/jobs.py:4", ("shop.jobs.clean",))]),
    "named_after_its_file": view(unnamed=["shop.charge"]),
    "kept_for_ever": view(values={"result_expires": None}),
    "thrown_away": view(result_backend="disabled"),
    "started_may_fail": view(late(track_started=True), result_backend="django-db"),
    "eager": view(values={"task_always_eager": True}),
    "accepts_pickle": view(values={"accept_content": ["json", "pickle"]}),
    "writes_pickle": view(values={"task_serializer": "pickle"}),
    "password_in_the_source": view(passwords={"broker_url": "shop.py:3"}),
    "published_before_the_commit": view(dispatches=[Dispatch(place="v.py:3", method="delay", in_transaction=True)]),
    "of_no_task": view(entries=[Entry(name="nightly", task="shop.clean", expires=True)]),
    "sooner_than_it_ends": view(entries=[Entry(name="often", task="shop.charge", every_s=60.0, expires=True)]),
    "valid_for_ever": view(entries=[Entry(name="hourly", task="shop.charge", every_s=3600.0)]),
    "in_utc": view(
        values={"timezone": None},
        entries=[Entry(name="nightly", task="shop.charge", every_s=86400.0, crontab=True, expires=True)],
    ),
    "unread": view(settings=(on("task_max_retries", 3, known=False),)),
    "wrong_namespace": view(misplaced=[Misplaced("TASK_ACKS_LATE", "CELERY_TASK_ACKS_LATE", "settings.py:9")]),
    "given_twice": view(
        settings=(on("task_acks_late", given="CELERY_TASK_ACKS_LATE"),),
        overridden={"CELERY_TASK_ACKS_LATE": "task_acks_late"},
    ),
    "environment_wins": view(settings=(on("broker_url", "redis://"),), environment=["CELERY_BROKER_URL"]),
    "overridden_by_every_task": view(settings=(on("task_time_limit", 60.0),)),
}
#: apps that look like those, and that are right
RIGHT = {
    "early acknowledgement that claims nothing, on queues of its own": view(
        task(queue="mail", time_limit=9.0), queues=("mail",), disable_prefetch=True
    ),
    "a lost child counts as a retry with early acknowledgement": view(
        task(reject_on_worker_lost=True, retry_on_worker_lost=True, time_limit=9.0), disable_prefetch=True
    ),
    "a poison task that before_start counts": view(late(retry_on_worker_lost=False, hooks=("before_start",))),
    "a limit that the visibility timeout is above": view(visibility_timeout=601.0),
    "RabbitMQ with confirms": view(
        broker_scheme="amqp",
        confirms=True,
        silence={},
        restore_period_s=100.0,
        values={"worker_cancel_long_running_tasks_on_connection_loss": True},
    ),
    "a backend that knows which errors of the database pass": view(
        settings=(on("result_backend_always_retry"),), result_backend="django-db", retries_database_errors=True
    ),
    "retries that back off": view(task(**RETRIES)),
    "throttled by nothing in this kombu": view(restore_period_s=100.0, throttles=False),
    "results that go with their caller": view(values={"result_expires": None}, result_backend="rpc"),
    "a result backend of the task's own": view(late(backend="redis"), result_backend="disabled"),
    "an entry whose task expires by itself": view(
        late(expires=60.0), entries=[Entry(name="hourly", task="shop.charge", every_s=3600.0)]
    ),
    "a SIGTERM that is remapped": view(
        settings=(on("worker_soft_shutdown_timeout", 20.0),), environment=["REMAP_SIGTERM"]
    ),
    "recycling by number and by memory": view(
        settings=(on("worker_max_tasks_per_child", 50),), max_memory_per_child=300_000
    ),
    "an option that one of two tasks has by itself": view(
        late(), late(name="shop.long", time_limit=1200.0), settings=(on("task_time_limit", 600.0),)
    ),
    "a queue that a call names by an alias": view(
        aliases=["news"], dispatches=[Dispatch(place="views.py:3", method="delay", queue="news")]
    ),
    "a long task that is acknowledged when it begins": view(
        task(time_limit=7200.0), disable_prefetch=True, visibility_timeout=3600.0
    ),
    "another app's task and queue": view(
        dispatches=[Dispatch(place="v.py:3", method="send_task", task="mail.send", queue="mail")]
    ),
    "a body that says itself how long it waits": view(
        late(retries_itself=True, default_retry_delay=9000.0, expires=60.0)
    ),
    "a route that only a message's arguments decide": view(late(queue="")),
    "limits on gevent": view(settings=(on("task_time_limit", 600.0),), pool="gevent"),
    "a schedule with room": view(
        entries=[Entry(name="nightly", task="shop.charge", every_s=86400.0, crontab=True, expires=True)]
    ),
}


def test_given_all_rules_then_each_has_something_planted_for_it() -> None:
    assert sorted(PLANTED) == sorted(rules())


@pytest.mark.parametrize("name", PLANTED)
def test_given_what_a_rule_is_for_then_it_says_so(name: str) -> None:
    found = [each for each in look(PLANTED[name]) if each.rule == name]
    assert found, f"{name} says nothing"
    assert all(each.observed and each.title for each in found)
    assert {each.kind for each in found} <= {rules()[name].kind, Kind.BROKEN}


@pytest.mark.parametrize("name", RIGHT)
def test_given_an_app_that_is_right_then_no_rule_says_anything(name: str) -> None:
    assert [(each.rule, each.observed) for each in look(RIGHT[name])] == []


#: rules that must be silent where another one may speak
SILENT = {
    "a retry that comes before its message expires": (
        "expired_before_its_retry",
        view(task(**RETRIES | {"retry_backoff": 0, "retry_countdown": 5.0, "expires": 60.0})),
    ),
    "a limit of 0 for all, and tasks without one": (
        "overridden_by_every_task",
        view(late(time_limit=None), settings=(on("task_time_limit", 0),)),
    ),
    "a queue of Broadcast that is taken by its alias": (
        "nobody_consumes",
        View(subject(late(queue="bcast.1"), **APP), Written(queue_aliases={"tasks": "bcast.1"}), "prefork", ("tasks",)),
    ),
    "an argument of the task that is called queue": (
        "sent_to_nobody",
        view(dispatches=[Dispatch(place="v.py:3", method="delay", queue="mial")]),
    ),
}


@pytest.mark.parametrize("name", SILENT)
def test_given_an_app_that_a_rule_is_not_for_then_it_says_nothing(name: str) -> None:
    rule, found = SILENT[name]
    assert rule not in [each.rule for each in look(found)]


def test_given_what_may_be_another_apps_then_it_is_a_risk_and_a_wrong_spelling_is_broken() -> None:
    def kinds(name: str) -> list[Kind]:
        return [each.kind for each in look(view(entries=[Entry(name="it", task=name, expires=True)]))]

    assert (kinds("billing.close"), kinds("shop.clean"), kinds("shpo.charge")) == (
        [Kind.RISK],
        [Kind.BROKEN],
        [Kind.BROKEN],
    )


def test_given_a_late_task_and_no_result_then_deduplicating_makes_it_fail() -> None:
    app = view(settings=(on("worker_deduplicate_successful_tasks"),), result_backend="disabled")
    assert next((each.rule, each.kind) for each in look(app)) == ("nothing_to_deduplicate", Kind.BROKEN)


def test_given_a_retry_that_waits_and_then_runs_then_both_count_against_the_visibility_timeout() -> None:
    app = view(task(**RETRIES | {"retry_backoff": 0, "retry_countdown": 100.0}), visibility_timeout=650.0)
    assert "visible_again_too_soon" in [each.rule for each in look(app)], "600 s of running and 100 s of waiting"


def changed(found: View, rule: str) -> list[str]:
    return [change.setting for each in look(found) if each.rule == rule for change in each.changes]


def test_given_what_one_task_says_or_what_would_have_no_end_then_no_setting_is_changed_for_all() -> None:
    lost = late(reject_on_worker_lost=False, retry_on_worker_lost=False)
    everywhere = {"settings": (on("task_acks_late"),)}
    rule = "lost_child_is_acknowledged"
    assert changed(view(lost, **everywhere), rule) == ["task_reject_on_worker_lost", "task_retry_on_worker_lost"]
    assert changed(view(lost), rule) == []
    assert changed(view(lost, late(name="shop.other"), **everywhere), rule) == []
    assert changed(view(lost, **everywhere, versions={"celery": "5.6.0"}), rule) == [], "it would come back for ever"


def test_given_queues_of_a_kind_or_a_task_with_its_own_retries_then_nothing_is_written_over_them() -> None:
    assert changed(PLANTED["nobody_consumes"], "nobody_consumes") == ["task_queues"]
    assert changed(view(late(queue="mail"), plain_queues=False), "nobody_consumes") == []
    for rule in ("accepts_pickle", "waits_behind_a_long_task"):
        assert changed(PLANTED[rule], rule) == [], "what is under way would be refused, or tasks would run twice"
    unread = on("task_max_retries", 5, known=False)
    assert changed(view(late(max_retries=10), settings=(unread,)), "unread") == ["task_max_retries"]


def test_given_findings_then_the_worst_are_told_first_and_each_has_its_place() -> None:
    found = look(view(task(reject_on_worker_lost=True), settings=(on("task_reject_on_worker_lost"),)))
    assert [each.kind.rank for each in found] == sorted(each.kind.rank for each in found)
    assert found[0].rule == "rejected_too_late"
    assert found[0].title == "task_reject_on_worker_lost=True"
    assert found[0].place == f"shop.py:{len('task_reject_on_worker_lost')}"


def test_given_a_route_to_no_task_then_it_is_dead() -> None:
    app = view(unrouted=[Unrouted("shop.chrage", "shop.py:8", "shop.charge")])
    (found,) = look(app)
    assert (found.rule, found.kind, found.place) == ("unread", Kind.DEAD, "shop.py:8")
    assert found.remedy == "use shop.charge"


def test_given_a_limit_on_retries_that_nothing_reads_then_an_annotation_would_mend_it() -> None:
    (found,) = look(PLANTED["unread"])
    assert [(each.setting, each.value) for each in found.changes] == [
        ("task_max_retries", ""),
        ("task_annotations", '{"*": {"max_retries": 3}}'),
    ]


@pytest.mark.parametrize(
    ("setting", "state"),
    [
        (on("task_acks_late"), State.UNTRIED),
        (on("task_acks_late", False), State.NO_CLAIM),
        (on("task_create_missing_queues", False), State.UNTRIED),
    ],
)
def test_given_a_setting_that_is_off_then_it_promises_nothing(setting: Setting, state: State) -> None:
    (found,) = states(subject(task(), settings=(setting,)), [], None, "redis")
    assert (found.state, bool(found.promise)) == (state, state is State.UNTRIED)


def test_given_a_misspelt_setting_then_what_was_meant_is_put_in_its_place_and_nothing_is_only_taken_out() -> None:
    misspelt = on("task_time_limt", 60, known=False, nearest="task_time_limit")
    (found,) = [each for each in look(view(settings=(misspelt,))) if each.rule == "unread"]
    assert [(each.setting, each.value) for each in found.changes] == [("task_time_limt", ""), ("task_time_limit", "60")]
    unclear = on("task_retry_backof", 60, known=False)
    (found,) = [each for each in look(view(settings=(unclear,))) if each.rule == "unread"]
    assert found.changes == ()
