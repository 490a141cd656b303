"""The address of a RabbitMQ by URL: what Celery is given, where the HTTP API is, and what is refused."""

import ssl

import pytest
from kombu.utils.url import parse_url

from assay.broker import redact_url
from assay.brokers import speaks_amqp, unheeded
from assay.brokers.amqp_address import parse
from assay.errors import UsageError


@pytest.mark.parametrize(
    ("url", "virtual_host", "management"),
    [
        ("amqp://u:p@h", "/", "http://h:15672"),
        ("amqp://u:p@h/", "/", "http://h:15672"),
        ("amqp://u:p@h//", "/", "http://h:15672"),
        ("pyamqp://u:p@h:1/%2F", "/", "http://h:15672"),
        ("amqp://u:p@h/a%2Fb", "a/b", "http://h:15672"),
        ("amqps://u:p@h/shop", "shop", "https://h:15671"),
        ("amqp://u:p@[::1]:5/x", "x", "http://[::1]:15672"),
        ("amqp://u:p@h/x?management=https://m:8/rabbit/", "x", "https://m:8/rabbit"),
    ],
)
def test_given_an_address_then_its_parts_are_what_kombu_takes_them_for(
    url: str, virtual_host: str, management: str
) -> None:
    address = parse(url)
    assert (address.virtual_host, address.management) == (virtual_host, management)
    told = parse_url(address.url("its/own"))
    assert (told["userid"], told["password"], told["virtual_host"]) == ("u", "p", "its/own")
    assert (told["hostname"], told["port"]) == (address.host, address.port)


def test_given_a_password_with_signs_then_celery_gets_it_and_nobody_else_sees_it() -> None:
    address = parse("amqp://us%40er:p%40ss%2Fw%3Aord@h/x")
    assert address.password == "p@ss/w:ord"
    assert parse_url(address.url("x"))["password"] == "p@ss/w:ord"
    assert address.shown == "amqp://us@er:***@h:5672/x"


def test_given_no_user_then_it_is_rabbitmqs_own_first_one() -> None:
    assert parse_url(parse("amqp://h").url("/"))["userid"] == "guest"


def test_given_tls_then_certificates_and_the_hosts_name_are_checked_unless_told_otherwise() -> None:
    assert parse("amqp://h").tls == {}
    assert parse("amqps://h").tls == {"cert_reqs": int(ssl.CERT_REQUIRED), "server_hostname": "h"}
    given = parse("amqps://h?ssl_ca_certs=ca.pem&ssl_certfile=c.pem&ssl_keyfile=k.pem&ssl_check_hostname=false").tls
    files = {"ca_certs": "ca.pem", "certfile": "c.pem", "keyfile": "k.pem"}
    assert given == files | {"cert_reqs": int(ssl.CERT_REQUIRED)}
    unchecked = parse("amqps://h?ssl_cert_reqs=CERT_NONE")
    assert unchecked.tls == {"cert_reqs": int(ssl.CERT_NONE)}
    context = unchecked.management_tls()
    assert context is not None
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)
    strict = parse("amqps://h").management_tls()
    assert strict is not None
    assert (strict.verify_mode, strict.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert parse("amqps://h?management=http://h:1").management_tls() is None


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("amqp://u:secret@h:12x/", "no number from 0 to 65535"),
        ("amqp://u:secret@[h/", "not well-formed"),
        ("amqp://u:secret@h/;amqp://u:secret@g/", "one RabbitMQ, not several"),
        ("amqp://u:secret@h/?heartbeat=10", "no option heartbeat; there are management, ssl_ca_certs"),
        ("amqp://u:p@h/?management=yes", "such as http://HOST:15672"),
        ("amqp://u:p@h/?management=http://v:secret@h", "takes no user"),
    ],
)
def test_given_what_is_no_such_address_then_that_is_told_without_the_password(url: str, told: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(url)
    assert told in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("broker", "amqp"),
    [
        ("rabbitmq", True),
        ("external-rabbitmq", True),
        ("amqp://h", True),
        ("AMQPS://h/x", True),
        ("pyamqp://h", True),
        ("external", False),
        ("fakeredis", False),
        ("redis", False),
        ("redis://amqp/0", False),
    ],
)
def test_given_a_name_or_an_address_then_what_it_speaks_is_known(broker: str, amqp: bool) -> None:
    assert speaks_amqp(broker) is amqp


def test_given_an_address_in_an_address_then_neither_password_is_printed() -> None:
    assert "secret" not in redact_url("amqp://u:secret@h/x?management=http://v:secret@h")


@pytest.mark.parametrize(
    ("names", "broker", "why"),
    [
        (["worker_disable_prefetch"], "rabbitmq", "Redis heeds it, rabbitmq does not"),
        (["confirm_publish"], "fakeredis", "RabbitMQ heeds it, fakeredis does not"),
        (["visibility_timeout", "confirm_publish"], "redis", ""),
        (["task_acks_late"], "rabbitmq", ""),
    ],
)
def test_what_a_broker_does_not_heed_is_said(names: list[str], broker: str, why: str) -> None:
    assert unheeded(names, broker) == why
