"""A process's TCP connections are broken from outside: those to the given ends, all of them, as their peer sees it."""

import errno
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import psutil
import pytest

from assay.black_hole import BlackHole
from assay.connections import How, Peer, borrowed, established, obstacle, peers, sever, undelivered, unread
from assay.errors import HarnessError
from assay.process import Supervisor
from assay.slowed import Slowed
from assay.wait import wait_until

IP_LOCAL_PORT_RANGE = 51
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
    ends: set[Peer]
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
        ends = [stack.enter_context(server.accept()[0]) for server in (first, first, other)]
        for peer in ends:
            peer.settimeout(10)
        assert process.stdout
        assert process.stdout.readline() == "connected\n"
        yield Opened(process, {Peer("127.0.0.1", ports[0])}, ends)


@pytest.mark.parametrize(("how", "seen"), [("cut", "b''"), ("reset", "ConnectionResetError")])
def test_all_connections_to_the_end_are_ended_and_no_other_one(opened: Opened, how: How, seen: str) -> None:
    assert len(established(opened.process.pid, opened.ends)) == 2
    assert len(sever(opened.process.pid, opened.ends, how)) == 2
    assert established(opened.process.pid, opened.ends) == []
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
    assert sever(opened.process.pid, {Peer("127.0.0.1", 1)}, "cut") == []


def test_of_a_process_that_is_gone_nothing_is_broken(opened: Opened) -> None:
    opened.process.kill()
    opened.process.wait()
    assert sever(opened.process.pid, opened.ends, "reset") == []


def test_where_the_kernel_forbids_it_the_remedy_is_told(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.connections.PIDFD_GETFD", -1)
    with pytest.raises(HarnessError, match=r"ptrace_scope of 0 or 1"):
        sever(opened.process.pid, opened.ends, "cut")


def test_one_that_is_closed_meanwhile_has_ended_and_the_kernel_lends_the_others(opened: Opened) -> None:
    left = established(opened.process.pid, opened.ends)[0]
    with pytest.raises(OSError, match=os.strerror(errno.EBADF)), borrowed(opened.process.pid, left._replace(fd=999)):
        pass
    opened.process.kill()
    opened.process.wait()
    with pytest.raises(ProcessLookupError), borrowed(opened.process.pid, left):
        pass


def test_of_a_process_that_is_not_ours_the_remedy_is_told(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(pid: int) -> NoReturn:
        raise psutil.AccessDenied(pid)

    monkeypatch.setattr("psutil.Process", refuses)
    with pytest.raises(HarnessError, match=r"ptrace_scope of 0 or 1"):
        established(opened.process.pid, opened.ends)


def test_one_that_does_not_break_is_no_success(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    def survives(borrowed: socket.socket) -> None: ...

    monkeypatch.setattr("assay.connections.abort", survives)
    with pytest.raises(HarnessError, match="2 of 2 connections of process"):
        sever(opened.process.pid, opened.ends, "reset")


@pytest.mark.parametrize(
    ("url", "end"),
    [
        ("redis://127.0.0.1/0", Peer("127.0.0.1", 6379)),
        ("redis://:secret@127.0.0.1:7000/0", Peer("127.0.0.1", 7000)),
        ("amqp://guest@127.0.0.1//", Peer("127.0.0.1", 5672)),
        ("redis://[::1]:7000/0", Peer("::1", 7000)),
    ],
)
def test_the_ends_of_a_brokers_url_are_addresses(url: str, end: Peer) -> None:
    assert peers(url) == {end}


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("redis+socket:///run/redis.sock", "connections by redis\\+socket cannot be broken"),
        ("redis://no-such-host.invalid/0", "host no-such-host.invalid has no address"),
    ],
)
def test_what_has_no_end_that_can_be_broken_is_told(url: str, why: str) -> None:
    with pytest.raises(HarnessError, match=why):
        peers(url)


def test_an_ipv4_end_is_the_same_one_through_an_ipv6_socket() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_INET6) as client:
        port = server.getsockname()[1]
        client.connect(("::ffff:127.0.0.1", port))
        assert [each.remote for each in established(os.getpid(), {Peer("127.0.0.1", port)})] == [
            Peer("127.0.0.1", port)
        ]


def test_a_process_that_is_paused_runs_no_thread_any_more(tmp_path: Path) -> None:
    busy = (
        "import threading, time\n"
        + "threading.Thread(target=lambda: [time.time() for _ in iter(int, 1)]).start()\n" * 8
    )
    with Supervisor() as supervisor:
        process = supervisor.spawn([sys.executable, "-c", busy], log=tmp_path / "log")
        wait_until(lambda: psutil.Process(process.pid).num_threads() == 9, what="its threads")
        for _ in range(20):
            process.pause()
            states = [
                path.read_text().rpartition(")")[2].split()[0]
                for path in Path(f"/proc/{process.pid}/task").glob("*/stat")
            ]
            assert states == ["T"] * 9
            process.resume()


def test_what_stands_in_the_way_is_told_before_a_run(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    assert obstacle(opened.process.pid, "redis://127.0.0.1/0") == ""
    assert "cannot be broken" in obstacle(opened.process.pid, "redis+socket:///run/redis.sock")
    monkeypatch.setattr("assay.connections.PIDFD_GETFD", -1)
    assert "docker run --cap-add SYS_PTRACE" in obstacle(opened.process.pid, "redis://127.0.0.1/0")


def test_bytes_that_the_process_has_not_read_are_seen(opened: Opened) -> None:
    assert unread(opened.process.pid, opened.ends) == 0
    opened.peers[0].send(b"abc")
    assert unread(opened.process.pid, opened.ends) == 3
    assert opened.reads(0) == "b'a'"
    assert unread(opened.process.pid, opened.ends) == 2


def test_given_a_black_hole_then_nothing_arrives_in_either_direction_until_it_is_healed(opened: Opened) -> None:
    pid, server = opened.process.pid, os.getpid()
    hole = BlackHole(pid, opened.ends, server)
    assert len(hole.connections) == 2
    assert hole.undelivered() == 0
    opened.peers[0].send(b"abc")
    wait_until(lambda: hole.undelivered() == 3, what="three bytes that nobody acknowledges")
    assert unread(pid, opened.ends) == 0
    assert len(established(pid, opened.ends)) == 2, "neither end knows"
    opened.peers[2].send(b"x")
    assert opened.reads(2) == "b'x'", "another connection of the process is not concerned"
    hole.heal()
    wait_until(lambda: unread(pid, opened.ends) == 3, what="what was sent again to arrive")
    assert opened.reads(0) == "b'a'"


def test_given_a_black_hole_that_one_end_has_left_then_its_port_is_given_to_nobody_until_it_is_healed(
    opened: Opened,
) -> None:
    (end,) = opened.ends
    hole = BlackHole(opened.process.pid, opened.ends, os.getpid())
    assert len(sever(opened.process.pid, opened.ends, "reset")) == 2, "as where a connection's own timeout ends it"
    # 0 is where somebody else on this machine has the port too: then the SYN passes
    assert _connect_from(hole.connections[0].local.port, end) in (errno.EADDRNOTAVAIL, 0)
    hole.heal()

    def given_again() -> bool:
        """It is nobody's for an instant: whoever else asks this machine for a port then may be given it."""
        port = hole.connections[0].local.port
        ours = (None, os.getpid(), opened.process.pid)
        others = {each.laddr.port for each in psutil.net_connections("tcp") if each.pid not in ours}
        return _connect_from(port, end) == 0 or port in others

    wait_until(given_again, what="the port to be given again")


def test_given_a_port_that_somebody_else_has_too_then_a_new_connection_from_it_does_not_fall_into_the_hole(
    opened: Opened,
) -> None:
    (end,) = opened.ends
    first = established(opened.process.pid, opened.ends)[0].local
    with socket.create_server(("127.0.0.1", 0)) as another, socket.socket() as other:
        other.setsockopt(socket.IPPROTO_IP, IP_LOCAL_PORT_RANGE, struct.pack("I", first.port << 16 | first.port))
        other.connect(another.getsockname())
        hole = BlackHole(opened.process.pid, opened.ends, os.getpid())
        opened.peers[0].send(b"abc")
        wait_until(lambda: hole.undelivered() == 3, what="three bytes that nobody acknowledges")
        assert len(sever(opened.process.pid, opened.ends, "reset")) == 2
        assert _connect_from(first.port, end) == 0
        hole.heal()


def test_given_a_black_hole_whose_process_is_gone_then_what_it_sent_last_never_arrives(opened: Opened) -> None:
    """Healed, the broker would get a BRPOP of nobody's: the kernel sends it again for a dead process too."""
    hole = BlackHole(opened.process.pid, opened.ends, os.getpid())
    (first, second), server = hole.connections, opened.peers[:2]
    with borrowed(opened.process.pid, first) as lent:
        lent.send(b"BRPOP")
    opened.process.kill()
    opened.process.wait()
    server[1].settimeout(0.5)
    with pytest.raises(TimeoutError):
        server[1].recv(1)
    hole.end()
    for each in server:
        each.settimeout(5)
        with pytest.raises(OSError, match=r"Not connected|not connected|reset"):
            each.recv(1)
    assert established(os.getpid(), {first.local, second.local}) == []


def _connect_from(port: int, end: Peer) -> int:
    """Connect as one does who asks for no port, where only this one is left to be given (ip(7), Linux 6.3); errno."""
    with socket.socket() as client:
        client.setsockopt(socket.IPPROTO_IP, IP_LOCAL_PORT_RANGE, struct.pack("I", port << 16 | port))
        client.settimeout(5)
        return client.connect_ex(end)


@pytest.mark.parametrize("nothing", [b"_\r\n", b"*-1\r\n", b"\x08\0\0\0\0\0\0\xce"])
def test_given_an_answer_that_there_is_nothing_when_it_is_unread_then_no_message_is(
    opened: Opened, nothing: bytes
) -> None:
    opened.peers[0].send(nothing)
    assert unread(opened.process.pid, opened.ends) == 0
    opened.peers[0].send(b"*2")
    assert unread(opened.process.pid, opened.ends) == len(nothing) + 2


def test_given_a_slow_path_then_what_is_sent_is_long_under_way_and_arrives_in_the_end(opened: Opened) -> None:
    """A packet goes at once, the next when that would be through. The first ten of a connection never wait."""
    pid, each = opened.process.pid, bytes(10_000)
    for _ in range(12):
        opened.peers[0].sendall(b"x")
        assert opened.reads(0) == "b'x'"
    opened.peers[2].sendall(each + each)
    wait_until(lambda: unread(pid, {_end(opened.peers[2])}) == 20_000, what="what another connection carries")
    slowed = Slowed(pid, opened.ends, os.getpid(), 1_000)
    assert slowed.paced() == 4, "two connections, each at both ends"
    opened.peers[0].sendall(each)
    opened.peers[0].sendall(each)
    assert unread(pid, opened.ends) == 10_000
    assert undelivered(slowed.connections) == 10_000
    slowed.heal()
    assert slowed.paced() == 0
    wait_until(lambda: unread(pid, opened.ends) == 20_000, what="the rest", timeout_s=60.0)


def _end(peer: socket.socket) -> Peer:
    return Peer(*peer.getsockname())
