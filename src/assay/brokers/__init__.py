"""Brokers that a run can use: the embedded one, a private redis-server or RabbitMQ node, and one given by URL."""

#: that a run starts itself
NAMES = ("fakeredis", "redis", "rabbitmq")
