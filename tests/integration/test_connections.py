"""A process's TCP connections are broken from outside: those to the given port, all of them, as their peer sees it."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from assay.connections import How, established, sever
from assay.errors import HarnessError

OPENS = """
import socket, sys
kept = [socket.create_connection(("127.0.0.1", int(port))) for port in sys.argv[1:]]
print("connected", flush=True)
for line in sys.stdin:
    try:
        print(repr(kept[int(line)].recv(1)), flush=True)
    except OSError as error:
        print(type(error).__name__, flush=True)
"""


@dataclass
class Opened:
    """A process with two connections to one port and one to another; `peers` are their other ends."""

    process: subprocess.Popen[str]
    port: int
    peers: list[socket.socket]

    def reads(self, number: int) -> str:
        """What reading from its connection gives it."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{number}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


@pytest.fixture
def opened() -> Iterator[Opened]:
    with ExitStack() as stack:
        first, other = (stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2))
        ports = [each.getsockname()[1] for each in (first, first, other)]
        process = subprocess.Popen(
            [sys.executable, "-c", OPENS, *map(str, ports)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        stack.enter_context(process)
        stack.callback(process.kill)
        peers = [stack.enter_context(server.accept()[0]) for server in (first, first, other)]
        for peer in peers:
            peer.settimeout(10)
        assert process.stdout
        assert process.stdout.readline() == "connected\n"
        yield Opened(process, ports[0], peers)


@pytest.mark.parametrize(("how", "seen"), [("cut", "b''"), ("reset", "ConnectionResetError")])
def test_all_connections_to_the_port_are_ended_and_no_other_one(opened: Opened, how: How, seen: str) -> None:
    assert len(established(opened.process.pid, opened.port)) == 2
    assert len(sever(opened.process.pid, opened.port, how)) == 2
    assert established(opened.process.pid, opened.port) == {}
    for peer in opened.peers[:2]:
        if how == "cut":
            assert peer.recv(1) == b""
        else:
            with pytest.raises(ConnectionResetError):
                peer.recv(1)
    assert [opened.reads(0), opened.reads(1)] == [seen, seen]
    opened.peers[2].send(b"x")
    assert opened.reads(2) == "b'x'"


def test_without_a_connection_nothing_is_broken_and_nothing_said_to_be(opened: Opened) -> None:
    assert sever(opened.process.pid, 1, "cut") == []


def test_of_a_process_that_is_gone_nothing_is_broken(opened: Opened) -> None:
    opened.process.kill()
    opened.process.wait()
    assert sever(opened.process.pid, opened.port, "reset") == []


def test_where_the_kernel_forbids_it_the_remedy_is_told(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.connections.PIDFD_GETFD", -1)
    with pytest.raises(HarnessError, match=r"ptrace_scope of 0 or 1"):
        sever(opened.process.pid, opened.port, "cut")
