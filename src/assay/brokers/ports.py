"""Ports of loopback."""

import socket


def free_port(host: str) -> int:
    """One that the system chooses; somebody else may be faster to take it."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def serves(host: str, port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0
