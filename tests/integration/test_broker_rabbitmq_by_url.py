"""A RabbitMQ that is given by URL is somebody's: what a run made there goes, however it ends, and nothing else does."""

import base64
import http.server
import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import celery
import pytest
from amqp import Message
from leftovers import Command, assay, running
from somebodys_rabbitmq import HOSTS, USERS, Somebodys, password, supervisor, theirs

from assay.broker import start
from assay.brokers.external_rabbitmq import ExternalRabbitBroker
from assay.brokers.ports import free_port
from assay.brokers.rabbitmq_api import Api
from assay.errors import HarnessError, UsageError
from assay.process import Supervisor
from assay.wait import wait_until

__all__ = ["supervisor", "theirs"]
APPS = Path(__file__).parents[1] / "chaos" / "apps"
WAYS = [("boss", "theirs"), ("lender", "lent")]  # virtual hosts of the run's own, or one that it is lent
IDS = ["its own virtual hosts", "a lent one"]


@pytest.fixture(params=WAYS, ids=IDS)
def way(request: pytest.FixtureRequest) -> tuple[str, str]:
    found: tuple[str, str] = request.param
    return found


class Web(http.server.BaseHTTPRequestHandler):
    """Has a page for every address."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: pytest shows what went wrong."""


@pytest.fixture
def web() -> Iterator[str]:
    """host:port of a web server that has nothing to do with RabbitMQ."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class AnothersApi(http.server.BaseHTTPRequestHandler):
    """Answers as the API of another RabbitMQ does, which is empty and knows the same users."""

    def do_GET(self) -> None:
        user = base64.b64decode(self.headers["Authorization"].split()[1]).decode().partition(":")[0]
        told = {"whoami": {"tags": [USERS[user]]}, "overview": {"rabbitmq_version": "4.1.0"}}
        name = self.path.removeprefix("/api/").partition("?")[0]
        empty = name.startswith(("queues/", "exchanges/")) or name == "vhosts"
        self.answer([] if empty else told.get(name, {}))

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer({})

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: pytest shows what went wrong."""

    def answer(self, told: object) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(told).encode())


@pytest.fixture
def anothers() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), AnothersApi)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def arguments(address: str, tmp: Path, *scenarios: str) -> list[str]:
    wanted = [word for name in scenarios for word in ("--scenario", name)]
    return ["run", "-A", "twin:app", "--broker", address, "--jobs", "4", "--out", str(tmp / "run"), *wanted]


def verdicts(tmp: Path) -> set[str]:
    return {row["verdict"] for row in json.loads((tmp / "run/report.json").read_text())["results"]}


def started(address: str, supervisor: Supervisor, tmp: Path) -> ExternalRabbitBroker:
    it = start(address, tmp / "broker", supervisor.spawn)
    assert isinstance(it, ExternalRabbitBroker)
    return it


# -- refused


def changed(theirs: Somebodys, what: str) -> str:
    """The address, with one thing in it that is wrong."""
    right, closed = theirs.address(), free_port("127.0.0.1")
    host = f"@{theirs.host}:{theirs.port}/theirs"
    return {
        "password": right.replace(password("boss"), "secret-that-is-wrong"),
        "closed": right.replace(f":{theirs.port}/", f":{closed}/"),
        "host": right.replace(host, "@nowhere.invalid/theirs"),
        "virtual host": right.replace("/theirs", "/none"),
        "permission": right.replace("/theirs", "/forbidden"),
        "tag": theirs.address("nobody", "lent"),
        "full": theirs.address("lender", "full"),
        "no api": right.replace(theirs.management, f"http://127.0.0.1:{closed}"),
        "api is amqp": right.replace(theirs.management, f"http://{theirs.host}:{theirs.port}"),
        "api is no https": right.replace("=http:", "=https:"),
        "no tls": right.replace("amqp://", "amqps://"),
    }[what]


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("password", r"refuses the user or the password: ACCESS_REFUSED"),
        ("closed", r"cannot be reached: .*refused"),
        ("host", r"nowhere\.invalid:5672/theirs cannot be reached"),
        ("virtual host", r"has no virtual host none"),
        ("permission", r"does not let boss use virtual host forbidden"),
        ("tag", r"refuses user nobody: .*rabbitmqctl set_user_tags nobody administrator"),
        ("full", r"/full is not empty \(queue celery\): Assay uses an empty virtual host only.*--broker rabbitmq"),
        ("no api", r"management API .* cannot be used: .*refused.*rabbitmq-plugins enable.*\?management=http"),
        ("api is amqp", r"management API .* cannot be used"),
        ("api is no https", r"management API .* at https://.* cannot be used"),
        ("no tls", r"amqps://.* cannot be used: .*Is that a RabbitMQ, and its AMQP port\?"),
    ],
)
def test_given_an_address_that_cannot_be_used_then_what_is_wrong_is_told_in_time_and_without_the_password(
    supervisor: Supervisor, theirs: Somebodys, tmp_path: Path, what: str, told: str
) -> None:
    begun = time.monotonic()
    with pytest.raises(UsageError, match=told) as refused:
        start(changed(theirs, what), tmp_path, supervisor.spawn)
    assert "secret" not in str(refused.value)
    assert time.monotonic() - begun < 25.0
    theirs.must_be_as_before()


def test_given_a_web_server_where_the_api_should_be_then_that_is_told(
    supervisor: Supervisor, theirs: Somebodys, web: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="no management API of RabbitMQ"):
        start(theirs.address().replace(theirs.management, f"http://{web}"), tmp_path, supervisor.spawn)


def test_given_a_web_server_where_the_broker_should_be_then_that_is_told(
    supervisor: Supervisor, theirs: Somebodys, web: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"RabbitMQ(, and its AMQP port| there)\?"):
        start(theirs.address().replace(f"{theirs.host}:{theirs.port}", web), tmp_path, supervisor.spawn)


def test_given_a_port_that_says_nothing_then_it_is_given_up(
    supervisor: Supervisor, theirs: Somebodys, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = theirs.address().replace(f":{theirs.port}/", f":{silent.getsockname()[1]}/")
        with pytest.raises(UsageError, match="does not answer within 5 s"):
            start(address, tmp_path, supervisor.spawn)


@pytest.mark.parametrize("user", ["boss", "lender"])
def test_given_the_api_of_another_broker_then_it_is_not_believed(
    supervisor: Supervisor, theirs: Somebodys, anothers: str, tmp_path: Path, user: str
) -> None:
    address = theirs.address(user, "full").replace(theirs.management, anothers)
    with pytest.raises(UsageError, match="is that the management API of this RabbitMQ"):
        start(address, tmp_path, supervisor.spawn)
    theirs.must_be_as_before()


def test_given_a_wrong_password_then_the_command_says_so_and_nothing_else(theirs: Somebodys, tmp_path: Path) -> None:
    address = changed(theirs, "password")
    status, said, err = assay(*arguments(address, tmp_path, "child_killed_middle"), cwd=APPS, tmp=tmp_path)
    assert status == 2, said + err
    assert "refuses the user or the password" in err
    assert "Traceback" not in err
    assert "secret" not in said + err


# -- what it holds


def test_given_messages_then_depths_and_ids_and_the_unacknowledged_are_told_at_once(
    supervisor: Supervisor, theirs: Somebodys, tmp_path: Path, way: tuple[str, str]
) -> None:
    external = started(theirs.address(*way), supervisor, tmp_path)
    external.url(2)
    with external._connection(2) as connection:
        channel = connection.channel()
        for queue in ("q", "celery_delayed_0"):
            channel.queue_declare(queue, durable=True, auto_delete=False)
        for each in ("a", "b", "c"):
            channel.basic_publish(Message("", application_headers={"id": each}), routing_key="q")
        channel.basic_publish(Message("", application_headers={"id": "d"}), routing_key="celery_delayed_0")
        wait_until(lambda: external.depths(2, ["q"], [], "", "") == {"q": 3, "celery_delayed_0": 1}, what="messages")
        assert external.queued(2, ["q", "none"], [], "", "") == {
            "q": ["a", "b", "c"],
            "none": [],
            "celery_delayed_0": ["d"],
        }
        assert external.unacked(2) == []
        assert channel.basic_get("q") is not None
        assert external.unacked(2) == ["?"]
        assert external.depths(2, ["q"], [], "", "")["q"] == 2
        assert not external.stale(2, time.monotonic_ns())
    external.flush(2)
    external.url(2)
    assert external.depths(2, ["q"], [], "", "") == {"q": 0}
    assert external.stop() == ""
    theirs.must_be_as_before()


def test_given_a_quorum_queue_then_what_is_unacknowledged_is_known_to_be_old_until_it_is_new(
    supervisor: Supervisor, theirs: Somebodys, tmp_path: Path
) -> None:
    external = started(theirs.address(), supervisor, tmp_path)
    external.url(0)
    with external._connection(0) as connection:
        channel = connection.channel()
        channel.queue_declare("q", durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"})
        for each in ("a", "b"):
            channel.basic_publish(Message("", application_headers={"id": each}), routing_key="q")
        wait_until(lambda: external.depths(0, ["q"], [], "", "") == {"q": 2}, what="messages")
        assert channel.basic_get("q") is not None
        wait_until(lambda: external.depths(0, ["q"], [], "", "") == {"q": 1}, what="it to be taken")
        taken = time.monotonic_ns()
        assert external.stale(0, taken)
        wait_until(lambda: not external.stale(0, taken), what="numbers that are new", timeout_s=30.0, poll_s=0.05)
        assert external.unacked(0) == ["?"]
        assert external.queued(0, ["q"], [], "", "") == {"q": ["b"]}
        assert external.unacked(0) == ["?"]
        assert external.stale(0, time.monotonic_ns())
    assert external.stop() == ""
    theirs.must_be_as_before()


def test_given_two_databases_then_neither_sees_the_other(
    supervisor: Supervisor, theirs: Somebodys, tmp_path: Path
) -> None:
    external = started(theirs.address(), supervisor, tmp_path)
    assert not external.one_database
    assert external.url(0) != external.url(2)
    with external._connection(0) as connection:
        connection.channel().queue_declare("q")
    assert (len(external._queues(0)), len(external._queues(2))) == (1, 0)
    assert external.results_url(1).startswith("redis://127.0.0.1:")
    external.stop()
    theirs.must_be_as_before()


def test_given_a_lent_virtual_host_when_somebody_consumes_there_then_that_is_left_and_told(
    supervisor: Supervisor, theirs: Somebodys, tmp_path: Path
) -> None:
    external = started(theirs.address("lender", "lent"), supervisor, tmp_path)
    assert external.one_database
    with theirs.open("lent") as connection:
        channel = connection.channel()
        for name, kind in (("used", "classic"), ("used-too", "quorum"), ("unused", "classic")):
            channel.queue_declare(name, durable=True, auto_delete=False, arguments={"x-queue-type": kind})
            if name != "unused":
                channel.basic_consume(name)
        channel.exchange_declare("of-the-run", "direct", durable=True, auto_delete=False)
        assert "somebody uses what is left there: used, used-too" in external.stop()
        assert theirs.holds("lent") == {"used": 0, "used-too": 0}
    assert external.stop() == ""
    theirs.must_be_as_before()


def test_given_a_broker_that_does_not_answer_at_the_end_then_what_may_be_left_is_told(
    supervisor: Supervisor, theirs: Somebodys, tmp_path: Path
) -> None:
    external = started(theirs.address(), supervisor, tmp_path)
    host = external.url(0).rpartition("/")[2]
    patient, external._api = external._api, Api(theirs.parsed(), answer_s=0.3)
    theirs.pause()
    try:
        with pytest.raises(HarnessError, match=rf"{host[:-1]}\* may be left on it.*delete_vhost") as told:
            external.stop()
    finally:
        theirs.resume()
    assert "secret" not in str(told.value)
    external._api = patient
    assert external.stop() == ""
    theirs.must_be_as_before()


# -- runs


def test_given_queues_of_the_same_name_when_scenarios_run_then_they_hold_and_nobody_touches_what_is_theirs(
    theirs: Somebodys, tmp_path: Path
) -> None:
    address = theirs.address()
    wanted = arguments(address, tmp_path, "child_killed_middle", "main_killed_middle")
    with running(*wanted, cwd=APPS, tmp=tmp_path) as run:
        wait_until(lambda: theirs.hosts() > set(HOSTS), what="virtual hosts of the run", timeout_s=60.0)
        status, said, err = run.end()
        run.must_leave_nothing()
    assert (status, verdicts(tmp_path)) == (0, {"held"}), said + err
    assert "evidence     0 lost in" in said
    assert "visibility_timeout of" not in said
    assert "secret" not in said + err + (tmp_path / "run/report.json").read_text()
    theirs.must_be_as_before()
    with theirs.open("theirs") as connection:
        message = connection.channel().basic_get("celery", no_ack=False)
        assert message is not None
        assert (message.body, message.delivery_info["redelivered"]) == ("theirs", False)


def test_given_an_app_that_acknowledges_early_then_its_loss_is_found(theirs: Somebodys, tmp_path: Path) -> None:
    wanted = arguments(theirs.address(), tmp_path, "main_killed_middle")
    status, said, err = assay(*wanted, cwd=APPS, tmp=tmp_path, env={"ASSAY_TEST_FLIP": "acks_at_receipt"})
    assert (status, verdicts(tmp_path)) == (1, {"violated"}), said + err
    assert "***" in next(line for line in said.splitlines() if line.startswith("next         assay run"))
    theirs.must_be_as_before()


@pytest.mark.skipif(celery.VERSION < (5, 5), reason="quorum queues came with Celery 5.5")
def test_given_an_app_with_quorum_queues_then_no_old_number_is_judged_by(theirs: Somebodys, tmp_path: Path) -> None:
    wanted = arguments(theirs.address(), tmp_path, "main_killed_middle", "fails_then_succeeds")
    wanted[wanted.index("twin:app")] = "amqp_app:app"
    status, said, err = assay(*wanted, cwd=APPS, tmp=tmp_path, env={"ASSAY_TEST_FLIP": "native"})
    assert (status, verdicts(tmp_path)) == (0, {"held"}), said + err
    theirs.must_be_as_before()


def test_given_a_lent_virtual_host_then_scenarios_hold_there_and_nothing_is_left(
    theirs: Somebodys, tmp_path: Path
) -> None:
    wanted = arguments(theirs.address("lender", "lent"), tmp_path, "child_killed_middle")
    status, said, err = assay(*wanted, cwd=APPS, tmp=tmp_path)
    assert (status, verdicts(tmp_path)) == (0, {"held"}), said + err
    theirs.must_be_as_before()


def test_given_a_chaos_run_then_faults_that_are_possible_strike_and_others_are_refused(
    theirs: Somebodys, tmp_path: Path
) -> None:
    chaos = ["chaos", "-A", "twin:app", "--broker", theirs.address(), "--seed", "5", "--tasks", "40"]
    faults = ["--faults", "sigkill-child,sigkill-main,connection-reset", "--out", str(tmp_path / "run")]
    status, said, err = assay(*chaos, *faults, cwd=APPS, tmp=tmp_path)
    assert (status, verdicts(tmp_path)) == (0, {"held"}), said + err
    theirs.must_be_as_before()
    for fault, why in (("broker-restarted", "somebody else's"), ("clock-ahead", "gives back at once")):
        status, said, err = assay(*chaos, "--faults", fault, "--out", str(tmp_path / fault), cwd=APPS, tmp=tmp_path)
        assert (status, why in err) == (2, True), said + err


def stopped_at_work(run: Command, theirs: Somebodys, host: str) -> bool:
    """Whether the harness stands still, by SIGSTOP, while there are queues of the run."""
    run.process.send_signal(signal.SIGSTOP)
    places = {host} if host == "lent" else theirs.hosts() - set(HOSTS)
    if any(theirs.holds(each) for each in places):
        return True
    run.process.send_signal(signal.SIGCONT)
    return False


def test_given_workers_at_work_when_the_harness_is_killed_then_nothing_of_the_run_is_left(
    theirs: Somebodys, tmp_path: Path, way: tuple[str, str]
) -> None:
    address = theirs.address(*way)
    with running(*arguments(address, tmp_path, "exact_under_load"), cwd=APPS, tmp=tmp_path) as run:
        wait_until(lambda: stopped_at_work(run, theirs, way[1]), what="queues of the run", timeout_s=60.0)
        run.kill()
        run.must_leave_nothing()
    assert theirs.hosts() == set(HOSTS)
    theirs.must_be_as_before()
