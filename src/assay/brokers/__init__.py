"""Brokers that a run can use: the embedded one, a private redis-server or RabbitMQ node, and one given by URL."""

from collections.abc import Iterable

from assay.redirection import AMQP

#: that a run starts itself
NAMES = ("fakeredis", "redis", "rabbitmq")
#: those of them that can keep their data over a restart: the embedded one has all of it in one process's memory
DURABLE = ("redis", "rabbitmq")
#: names of those that run already, by what they speak
EXTERNAL, EXTERNAL_RABBITMQ = "external", "external-rabbitmq"


def speaks_amqp(broker: str) -> bool:
    """Whether a broker of this name, or at this address, is a RabbitMQ: the others are Redis.

    What it delivered is back at once when a connection ends, without a visibility timeout.
    """
    return broker in ("rabbitmq", EXTERNAL_RABBITMQ) or broker.partition("://")[0].lower() in AMQP


#: settings, and keys of broker_transport_options, that one kind of broker alone heeds
OF_REDIS = frozenset({"worker_disable_prefetch", "visibility_timeout", "socket_keepalive"})
OF_RABBITMQ = frozenset({"broker_heartbeat", "confirm_publish"})


def unheeded(names: Iterable[str], broker: str) -> str:
    """Why a run on this broker says nothing of them; "" where one of them at least is heeded."""
    left = set(names) - (OF_REDIS if speaks_amqp(broker) else OF_RABBITMQ)
    heeding = "Redis" if speaks_amqp(broker) else "RabbitMQ"
    return "" if left else f"{heeding} heeds it, {broker} does not"
