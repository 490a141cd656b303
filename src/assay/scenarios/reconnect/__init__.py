"""Reconnect: a worker that loses its connection to the broker, and not its life."""
