"""What a run changes of an app, on real messages of kombu's in-memory transport."""

import datetime
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import kombu.pools
import kombu.transport.redis
import pytest
from celery import Celery, Task
from celery.backends.base import DisabledBackend
from hypothesis import given
from hypothesis import strategies as st
from kombu.transport import memory
from targets import target
from targets import task as made

from assay import scaling
from assay.boot import Boot
from assay.inspection import describe
from assay.redirect import apply, look_at_children_every, warp_clock
from assay.redirection import SHORTEST_S, Redirection, scaled_limit, scaled_s
from assay.role import prepare
from assay.subject import Subject

KIRITIMATI = datetime.timezone(datetime.timedelta(hours=14))
NUMBERS = itertools.count()
Published = tuple[dict[str, Any], list[float | None]]


@pytest.fixture
def here() -> Iterator[str]:
    """The address of an empty broker in this process, one that nobody used before: kombu's pools are keyed by it."""
    memory.Channel.queues.clear()  # of all memory:// addresses
    yield f"memory://localhost/{next(NUMBERS)}"
    kombu.pools.reset()


@pytest.fixture
def unpatched(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str], None]:
    """Puts an attribute back after the test."""
    return lambda owner, name: monkeypatch.setattr(owner, name, getattr(owner, name))


def shop(**conf: Any) -> tuple[Celery, Task]:
    app = Celery("shop", set_as_current=False, broker="redis://nobody.invalid/0")
    app.conf.update(broker_transport_options={"socket_connect_timeout": 1}, **conf)

    @app.task(shared=False, name="shop.charge")
    def charge() -> None: ...

    app.finalize(auto=True)
    return app, app.tasks["shop.charge"]


def published(app: Celery, task: Task, redirection: Redirection, **options: Any) -> Published:
    """The headers of a message that is published after `apply`, and the countdowns that were heard of."""
    heard: list[float | None] = []
    apply(app, redirection, heard.append)
    task.apply_async(**options)
    with app.connection_for_read() as connection:
        message = connection.SimpleQueue("celery").get(block=False)
        return message.headers, heard


def described(app: Celery) -> Subject:
    return describe(app, "shop", ".")


def left_s(headers: dict[str, Any]) -> float:
    eta = datetime.datetime.fromisoformat(headers["eta"])
    return (eta - datetime.datetime.now(datetime.UTC)).total_seconds()


# -- addresses


def test_what_is_published_goes_to_the_runs_own_broker(here: str) -> None:
    app, task = shop(broker_read_url="redis://nobody.invalid/1", broker_write_url="redis://nobody.invalid/2")
    headers, _ = published(app, task, Redirection(here))
    assert headers["task"] == "shop.charge"


def test_pools_of_connections_that_were_made_before_are_not_used_again(here: str) -> None:
    app, task = shop()
    before = (app.pool, app.producer_pool, app.amqp.producer_pool)
    headers, _ = published(app, task, Redirection(here))
    assert headers["task"] == "shop.charge"
    assert not {id(pool) for pool in before} & {id(app.pool), id(app.producer_pool), id(app.amqp.producer_pool)}


@pytest.mark.parametrize("variable", ["CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL"])
def test_an_address_in_the_environment_does_not_win(here: str, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "redis://nobody.invalid/3")
    app, task = shop()
    headers, _ = published(app, task, Redirection(here))
    assert headers["task"] == "shop.charge"


def test_an_eager_app_publishes(here: str) -> None:
    app, task = shop(task_always_eager=True)
    headers, _ = published(app, task, Redirection(here))
    assert headers["task"] == "shop.charge"


def test_results_go_where_they_are_sent_though_the_backend_was_used_before(here: str) -> None:
    app, _ = shop(result_backend="cache+memory://", redis_backend_use_ssl={"ssl_cert_reqs": "required"})
    assert "Cache" in type(app.backend).__name__
    apply(app, Redirection(here, "redis://127.0.0.1:1/7"), lambda _: None)
    assert (type(app.backend).__name__, app.backend.connparams["db"]) == ("RedisBackend", 7)
    assert app.conf.redis_backend_use_ssl is None


@pytest.mark.parametrize("namespace", ["CELERY", "jobs"])
def test_a_namespaced_setting_does_not_win_over_the_runs_own(here: str, namespace: str) -> None:
    app = Celery("shop", set_as_current=False)
    given = {"broker_url": "redis://nobody.invalid/0", "result_backend": "redis://nobody.invalid/1"}
    given |= {"task_always_eager": True, "worker_soft_shutdown_timeout": 60}
    upper = namespace.isupper()
    names = {key: f"{namespace}_{key}".upper() if upper else f"{namespace}_{key}" for key in given}
    app.config_from_object({names[key]: value for key, value in given.items()}, namespace=namespace)
    assert app.conf.task_always_eager  # read before, so nothing is pending
    apply(app, Redirection(here, "redis://127.0.0.1:1/7", settings={"worker_soft_shutdown_timeout": 1.5}), print)
    assert (app.conf.broker_url, app.conf.result_backend) == (here, "redis://127.0.0.1:1/7")
    assert app.backend.connparams["db"] == 7
    assert (app.conf.task_always_eager, app.conf.worker_soft_shutdown_timeout) == (False, 1.5)


def test_results_stay_where_they_are_without_an_address(here: str) -> None:
    app, _ = shop(result_backend="cache+memory://")
    apply(app, Redirection(here), lambda _: None)
    assert "Cache" in type(app.backend).__name__


@pytest.mark.parametrize("own", ["", "shop."])
def test_a_runs_prefix_stands_before_every_key_and_before_the_apps_own(own: str) -> None:
    options = {"global_keyprefix": own} if own else {}
    app, _ = shop(result_backend_transport_options=options)
    app.conf.broker_transport_options |= options
    there = "redis://127.0.0.1:1/7"
    apply(app, Redirection(there, there, key_prefix="assay-1:"), lambda _: None)
    with app.connection_for_write() as connection:
        assert connection.transport_options["global_keyprefix"] == f"assay-1:{own}"
        assert connection.transport_options["socket_connect_timeout"] == 1
    key = app.backend.get_key_for_task("7")
    assert key.startswith(f"assay-1:{own}".encode())
    assert key.endswith(b"celery-task-meta-7")


PARTS = {"user": "shop", "password": "abc", "host": "nobody.invalid", "port": 7777, "vhost": "9"}
OF_RESULTS = {"username": "shop", "password": "abc", "host": "nobody.invalid", "port": 7777, "db": 9}


@pytest.mark.parametrize("namespace", ["", "CELERY_"])
def test_parts_of_an_address_that_are_settings_of_their_own_are_not_obeyed(namespace: str) -> None:
    app = Celery("shop", set_as_current=False)
    given = {f"broker_{part}": value for part, value in PARTS.items()}
    given |= {f"redis_{part}": value for part, value in OF_RESULTS.items()}
    given |= {"redis_backend_credential_provider": "nowhere.Provider"}
    named = {f"{namespace}{key.upper()}" if namespace else key: value for key, value in given.items()}
    app.config_from_object(named, namespace=namespace.rstrip("_") or None)
    assert app.conf.broker_password == app.conf.redis_password == "abc"  # read before, so nothing is pending
    apply(app, Redirection("redis://127.0.0.1:1/6", "redis://127.0.0.1:1/7"), lambda _: None)
    with app.connection_for_read() as reads, app.connection_for_write() as writes:
        for connection in (reads, writes):
            info = connection.info()
            assert [info[key] for key in ("userid", "hostname", "port", "virtual_host")] == [None, "127.0.0.1", 1, "6"]
            assert connection.password is None
    there = app.backend.connparams
    assert [there.get(key) for key in ("username", "password", "host", "port", "db")] == [None, None, "127.0.0.1", 1, 7]
    apply(app, Redirection("redis://me:mine@127.0.0.1:1/6", "redis://me:mine@127.0.0.1:1/7"), lambda _: None)
    with app.connection_for_write() as connection:
        assert (connection.userid, connection.password) == ("me", "mine")
    assert (app.backend.connparams["username"], app.backend.connparams["password"]) == ("me", "mine")


def test_encryption_is_not_asked_of_the_runs_own_broker(here: str) -> None:
    app, _ = shop(broker_use_ssl={"ssl_cert_reqs": "required"}, broker_failover_strategy="shuffle")
    apply(app, Redirection(here), lambda _: None)
    assert (app.conf.broker_use_ssl, app.conf.broker_failover_strategy) == (None, None)


def test_encryption_of_a_broker_by_url_is_that_of_its_address(here: str) -> None:
    app, _ = shop(broker_use_ssl={"ca_certs": "the-apps.pem"})
    apply(app, Redirection(here, broker_tls={"cert_reqs": 2}), lambda _: None)
    assert app.conf.broker_use_ssl == {"cert_reqs": 2}


# -- durations


def test_nothing_of_a_message_is_changed_without_a_scale(here: str) -> None:
    app, task = shop()
    headers, heard = published(app, task, Redirection(here), countdown=30)
    assert 0 < left_s(headers) <= 30
    assert heard == [30]


@pytest.mark.parametrize(
    ("options", "wait_s"),
    [
        ({"countdown": 60}, 1.5),
        ({"countdown": 1}, SHORTEST_S),
        ({"eta": 60}, 1.5),
        ({"eta": 60, "zone": None}, 1.5),
        ({"eta": 60, "zone": KIRITIMATI}, 1.5),
        ({"eta": -60}, -1.5),
    ],
)
def test_a_wait_is_shorter_by_the_scale(here: str, options: dict[str, Any], wait_s: float) -> None:
    app, task = shop(timezone="Pacific/Kiritimati")
    began = datetime.datetime.now(datetime.UTC)
    if "eta" in options:
        eta = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=options["eta"])
        zone = options.get("zone", datetime.UTC)
        options = {"eta": eta.astimezone(zone) if zone else eta.replace(tzinfo=None)}  # a worker takes that for UTC
    headers, _ = published(app, task, Redirection(here, countdown_scale=40.0), **options)
    eta, wait = datetime.datetime.fromisoformat(headers["eta"]), datetime.timedelta(seconds=wait_s)
    assert began + wait <= eta <= datetime.datetime.now(datetime.UTC) + wait, "from some moment of its publication on"


def test_the_unscaled_countdown_is_heard_of(here: str) -> None:
    app, task = shop()
    assert published(app, task, Redirection(here, countdown_scale=40.0), countdown=60)[1] == [60]


@pytest.mark.parametrize("options", [{}, {"countdown": 0}])
def test_what_does_not_wait_does_not_wait(here: str, options: dict[str, Any]) -> None:
    app, task = shop()
    headers, _ = published(app, task, Redirection(here, countdown_scale=40.0), **options)
    assert headers["eta"] is None or left_s(headers) <= 0


@given(st.lists(st.floats(0, 1e7), min_size=2), st.floats(1, 1e6))
def test_a_scale_keeps_the_order_of_waits_and_makes_none_longer(waits: list[float], scale: float) -> None:
    scaled = [scaled_s(wait, scale) for wait in sorted(waits)]
    assert scaled == sorted(scaled)
    assert all(real <= wait for real, wait in zip(scaled, sorted(waits), strict=True))


@given(st.floats(0, 1e7), st.floats(1, 1e6))
def test_a_scale_leaves_time_to_store_retry_where_production_has_it(wait: float, scale: float) -> None:
    assert scaled_s(wait, scale) >= min(wait, SHORTEST_S)


def test_the_scale_that_a_retry_really_had_is_recorded(here: str, tmp_path: Path) -> None:
    app, task = shop()
    (tmp_path / "events").mkdir()
    to = Redirection(here, countdown_scale=40.0)
    recorder = prepare(Boot(role="client", folder=str(tmp_path), log="", name="", redirection=to), app)
    for countdown, scale in ((60, 40.0), (1, 1 / SHORTEST_S), (None, 40.0)):
        task.apply_async(countdown=countdown)
        assert recorder.countdown_scale == pytest.approx(scale)


POINTS = ((200.0, 0.8), (300.0, 1.8))


@pytest.mark.parametrize(
    ("of_app", "of_task", "of_call", "expected"),
    [
        ({"task_time_limit": 300, "task_soft_time_limit": 200}, {}, {}, (0.8, 1.8)),
        ({"task_time_limit": 600}, {"time_limit": 300}, {}, (None, 1.8)),
        ({"task_time_limit": 100}, {"time_limit": 300, "soft_time_limit": 200}, {"soft_time_limit": 50}, (0.2, 1.8)),
        ({}, {"time_limit": 300}, {"time_limit": 1000, "soft_time_limit": 250}, (1.3, 6.0)),
        ({}, {}, {}, (None, None)),
    ],
)
@pytest.mark.parametrize("retried", [False, True])
def test_given_limits_of_app_task_and_call_then_celerys_choice_of_them_is_scaled_once(
    here: str,
    unpatched: Callable[[Any, str], None],
    of_app: dict[str, Any],
    of_task: dict[str, Any],
    of_call: dict[str, Any],
    expected: tuple[float | None, float | None],
    retried: bool,
) -> None:
    from billiard.pool import RUN, Pool
    from celery.worker.request import Context

    unpatched(Pool, "apply_async")
    chosen: list[Any] = []
    Pool.apply_async = lambda self, *_, soft_timeout, timeout, **__: chosen.append((soft_timeout, timeout))
    app, task = shop(**of_app)
    vars(task).update(of_task)
    headers, _ = published(app, task, Redirection(here, limits=POINTS), **of_call)
    if retried:
        task.push_request(headers, delivery_info={"routing_key": "celery"}, called_directly=False)
        task.signature_from_request(task.request, (), {}, countdown=0).apply_async()
        task.pop_request()
        with app.connection_for_read() as connection:
            headers = connection.SimpleQueue("celery").get(block=False).headers
    pool = Pool.__new__(Pool)
    pool._state, pool.soft_timeout, pool.timeout = RUN, app.conf.task_soft_time_limit, app.conf.task_time_limit
    hard, soft = Context(headers).timelimit or (None, None)
    # as celery/worker/request.py, execute_using_pool
    pool.apply_async(lambda: None, (), {}, soft_timeout=soft or task.soft_time_limit, timeout=hard or task.time_limit)
    assert chosen == [tuple(each and pytest.approx(each) for each in expected)]


@given(st.lists(st.floats(0.001, 1e6), min_size=2), st.floats(0.01, 1e5), st.floats(0.01, 1e5))
def test_given_any_two_limits_then_a_run_keeps_their_order_and_makes_those_of_the_task_no_longer(
    limits: list[float], soft: float, gap: float
) -> None:
    found = scaling.limits(target(made(soft_time_limit=soft, time_limit=soft + gap)))
    points = found.redirection.limits
    scaled = [scaled_limit(limit, points) for limit in sorted(limits)]
    assert all(low <= high * (1 + 1e-9) for low, high in itertools.pairwise(scaled))
    for limit, factor, most in ((soft, found.soft, scaling.SOFT_S), (soft + gap, found.hard, scaling.HARD_S)):
        assert scaled_limit(limit, points) == pytest.approx(limit / factor)
        assert scaled_limit(limit, points) <= min(limit, most) * (1 + 1e-9)


@pytest.mark.parametrize("number", [1, 50, 51, 500, 100_000])
def test_given_any_number_of_tasks_per_child_then_a_run_needs_no_more_than_it_can_wait_for(number: int) -> None:
    one = target(made(), max_tasks_per_child=number)
    found = scaling.recycling(one)
    real = found.redirection.settings.get("worker_max_tasks_per_child", number)
    assert real == scaling.tasks_per_child(one) == min(number, 50)
    assert [said for said in found.sentences if f"worker_max_tasks_per_child of {number}: 50" in said] == (
        [] if number <= 50 else [f"worker_max_tasks_per_child of {number}: 50 in suite recycling"]
    )


OWN: list[Any] = ["redis://nobody.invalid/5", DisabledBackend]


@pytest.mark.parametrize("place", ["decorator", "base class", "instance"])
@pytest.mark.parametrize("own", OWN)
def test_given_a_task_with_a_backend_of_its_own_then_its_results_go_where_the_apps_go_and_it_is_told(
    here: str, place: str, own: Any
) -> None:
    app = Celery("shop", set_as_current=False, broker="memory://")
    own = own if isinstance(own, str) else own(app=app)
    base = type("Base", (Task,), {"backend": own, "abstract": True}) if place == "base class" else None
    options = {"backend": own} if place == "decorator" else {"base": base} if base else {}

    def body() -> None: ...

    app.task(shared=False, name="shop.charge", **options)(body)
    app.task(shared=False, name="shop.ship")(body)
    app.finalize(auto=True)
    if place == "instance":
        app.tasks["shop.charge"].backend = own
    subject = described(app)
    assert [said for said in subject.redirected if "its results go where the app's go" in said] == [
        f"shop.charge has a result backend of its own ({subject.task('shop.charge').backend}): "
        "its results go where the app's go"
    ]
    apply(app, Redirection(here, "redis://127.0.0.1:1/7"), lambda _: None)
    for name in ("shop.charge", "shop.ship"):
        assert app.tasks[name].backend is app.backend
    assert app.backend.connparams["db"] == 7


def test_settings_of_a_scenario_are_set(here: str) -> None:
    app, _ = shop(worker_soft_shutdown_timeout=20.0)
    apply(app, Redirection(here, settings={"worker_soft_shutdown_timeout": 1.5}), lambda _: None)
    assert app.conf.worker_soft_shutdown_timeout == 1.5


@pytest.mark.parametrize(
    ("given_", "expected"),
    [("10/m", "200/s"), ("0.5", "200/s"), (3, "200/s"), ("1000/s", "1000/s"), (None, None)],
)
def test_no_task_waits_long_for_its_turn(here: str, given_: Any, expected: Any) -> None:
    app, task = shop()
    task.rate_limit = given_
    apply(app, Redirection(here), lambda _: None)
    assert task.rate_limit == expected


# -- what is patched in Celery and kombu


def test_the_pool_looks_for_dead_children_as_often_as_told(unpatched: Callable[[Any, str], None]) -> None:
    from celery.concurrency.asynpool import AsynPool

    unpatched(AsynPool, "timers")
    pool = AsynPool.__new__(AsynPool)
    assert pool.timers == {pool.maintain_pool: 5.0}, "what scaling.POOL_CHECK_S says of this release"
    look_at_children_every(0.1)
    assert pool.timers == {pool.maintain_pool: 0.1}


def test_the_clock_that_redis_messages_are_scored_with_goes_ahead(unpatched: Callable[[Any, str], None]) -> None:
    unpatched(kombu.transport.redis, "time")
    before = kombu.transport.redis.time()
    warp_clock(3600.0)
    assert 3600 <= kombu.transport.redis.time() - before < 3601
    assert kombu.transport.redis.QoS.append.__globals__["time"] is kombu.transport.redis.time


def test_of_a_transport_that_is_not_the_apps_own_only_the_runs_options_are_taken() -> None:
    app = Celery("shop", broker="redis://localhost/0")
    app.conf.broker_transport_options = {"visibility_timeout": 60}
    own = {"confirm_publish": True}
    apply(app, Redirection("amqp://127.0.0.1/x", foreign_transport=True, transport_options=own), lambda _: None)
    assert app.conf.broker_transport_options == own
