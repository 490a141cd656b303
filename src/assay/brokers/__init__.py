"""Brokers that a run can use: the embedded one, a private redis-server, and one that is given by URL."""
