"""What is flipped of a configuration, and to what."""

from fnmatch import fnmatchcase

from targets import subject, task

from assay.audit.promises import PROMISES
from assay.flip import Flip
from assay.mutate.killers import KILLERS, UNSEEN
from assay.mutate.mutant import Mutant
from assay.mutate.operators import TAKEN_OUT, backups, mutants
from assay.scenario import scenarios
from assay.subject import Setting, Subject, Task


def flips(app: Subject) -> list[Flip]:
    return [flip for each in mutants(app) for flip in each.flips]


def settings(*given: tuple[str, object], tasks: tuple[Task, ...] = (), **options: object) -> Subject:
    return subject(*(tasks or (task(),)), settings=tuple(Setting(key, value) for key, value in given), **options)


def test_given_switches_and_numbers_then_each_is_flipped_or_taken_out() -> None:
    app = settings(("task_acks_late", True), ("task_time_limit", 600), ("worker_prefetch_multiplier", 1))
    assert flips(app) == [
        Flip("task_acks_late", False),
        Flip("task_time_limit", None),
        Flip("worker_prefetch_multiplier", 4),
    ]


def test_given_what_makes_no_claim_or_is_as_if_not_given_then_there_is_no_mutant() -> None:
    assert mutants(settings(("broker_url", "redis://"), ("task_time_limit", None), ("timezone", "UTC"))) == []
    unknown = subject(task(), settings=(Setting("task_max_retries", 3, known=False),))
    assert mutants(unknown) == []


def test_given_routes_and_queues_then_each_is_led_astray_or_taken_out_alone() -> None:
    tasks = (task(queue="own"), task(name="shop.mail", queue="default"))
    given = (("task_routes", "{...}"), ("task_queues", "{...}"))
    app = settings(*given, tasks=tasks, queues=["default", "own"], default_queue="default")
    assert flips(app) == [
        Flip("task_routes", entries={"shop.charge": {"queue": "default"}}),
        Flip("task_queues", without="own"),
    ]
    assert [each.tasks for each in mutants(app)] == [["shop.charge"], ["shop.charge"]]


def test_given_a_visibility_timeout_then_it_becomes_too_short_on_redis_alone() -> None:
    given = ("broker_transport_options", "{'visibility_timeout': 3600}")
    assert [flip.entries for flip in flips(settings(given))] == [{"visibility_timeout": 10.0}]
    assert flips(settings(given, broker_scheme="amqp")) == []


def test_given_a_publisher_that_waits_for_confirms_then_it_does_not_on_rabbitmq_alone() -> None:
    given = ("broker_transport_options", "{'confirm_publish': True}")
    assert [flip.entries for flip in flips(settings(given, broker_scheme="amqp"))] == [{"confirm_publish": False}]
    assert flips(settings(given)) == []


def test_given_options_that_tasks_have_by_themselves_then_they_are_flipped_for_all_of_a_profile() -> None:
    retrying = {"autoretry_for": ("OSError",), "retry_backoff": 2.0, "default_retry_delay": 0.0, "time_limit": 60.0}
    tasks = (task(**retrying), task(name="shop.mail", **retrying))
    found = {each.setting: each for each in mutants(settings(("task_time_limit", 600), tasks=tasks))}
    assert set(found) == {"task_time_limit", "max_retries", "retry_backoff", "autoretry_for", "time_limit"}
    assert found["time_limit"].flips == [
        Flip("time_limit", None, task="shop.charge"),
        Flip("time_limit", None, task="shop.mail"),
    ]
    assert found["max_retries"].tasks == ["shop.charge", "shop.mail"]


def test_given_a_hook_that_may_count_starts_then_it_is_a_backup_of_bounded_redelivery() -> None:
    app = settings(("task_retry_on_worker_lost", True), tasks=(task(hooks=("before_start",)),))
    (mutant,) = mutants(app)
    (hook,) = backups(mutant, app, [mutant])
    assert hook.flips == [Flip("before_start", task="shop.charge")]
    assert backups(Mutant(setting="task_time_limit", change="", flips=[]), app, [mutant]) == []


def test_given_the_table_of_killers_then_its_scenarios_are_there_and_each_claim_is_seen_or_said_to_be_unseen() -> None:
    names = list(scenarios())
    patterns = {pattern for some in KILLERS.values() for pattern in some}
    assert [each for each in patterns if not any(fnmatchcase(name, each) for name in names)] == []
    assert set(TAKEN_OUT) <= set(KILLERS)
    unsaid = set(PROMISES) - set(KILLERS) - set(UNSEEN)
    assert unsaid == {"worker_disable_prefetch", "worker_pool"}, "not flipped: they say how a worker is run"
