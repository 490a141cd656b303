"""Brokers that a run can use: the embedded one, a private redis-server or RabbitMQ node, and one given by URL."""

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
