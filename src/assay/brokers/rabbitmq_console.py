"""Questions to a RabbitMQ node that AMQP and its management plugin answer not at all, or seconds late.

The node runs CONSOLE once it has booted: a few fixed requests, a line each, at an abstract Unix socket. So there is no
second Erlang machine to start, which takes a second, and no statistics that are five seconds old.
Sources: rabbit_vhost.erl, rabbit_auth_backend_internal.erl, rabbit_amqqueue.erl, rabbit_fifo.erl of RabbitMQ 3.10 to 4.
"""

import socket
import threading

from assay.brokers.virtual_hosts import Queue
from assay.errors import HarnessError

ANSWER_S = 30.0
END = b"."

#: @NAME@ is the socket's name, @USER@ who may use the virtual hosts. An answer is its lines and then END alone.
CONSOLE = """
Settled = fun Settled(F, Left) ->  % after a start it takes a moment until queues, and members of quorum queues, are up
    try F() catch _:_ when Left > 0 -> timer:sleep(50), Settled(F, Left - 1) end end,
Counted = fun (Q, F) -> {ok, {_, N}, _} = ra:local_query(amqqueue:get_pid(Q), F), N end,
Asked = fun (["make", Host]) ->
                ok = rabbit_vhost:add(Host, <<"assay">>),
                rabbit_auth_backend_internal:set_permissions(
                    <<"@USER@">>, Host, <<".*">>, <<".*">>, <<".*">>, <<"assay">>);
            (["drop", Host]) -> rabbit_vhost:delete(Host, <<"assay">>);
            (["queues", Host]) -> Settled(fun () -> [begin
                Quorum = amqqueue:get_type(Q) =:= rabbit_quorum_queue,
                {resource, _, queue, Name} = amqqueue:get_name(Q),
                [Ready, Unacked] = case Quorum of
                    true -> [Counted(Q, F) || F <- [fun rabbit_fifo:query_messages_ready/1,
                                                    fun rabbit_fifo:query_messages_checked_out/1]];
                    false -> [N || {_, N} <- rabbit_amqqueue:info(Q, [messages_ready, messages_unacknowledged])]
                end,
                io_lib:format("~b ~b ~ts~n", [Ready, Unacked, Name])
                end || Q <- rabbit_amqqueue:list(Host)] end, 200);
            (["write"]) -> [ok = dets:sync(Table) || Table <- dets:all()],
                catch sys:get_state(mnesia_recover), catch mnesia:sync_log(), ok;  % neither is there with Khepri
            (["version"]) -> [rabbit_misc:version(), 10] end,
Answer = fun (Line) ->
    [Verb | Host] = string:lexemes(string:trim(Line), " "),
    try Asked([binary_to_list(Verb) | Host]) of
        ok -> [];
        Lines -> Lines
    catch C:E -> io_lib:format("! ~0p ~0p~n", [C, E]) end end,
{ok, Listening} = gen_tcp:listen(0, [binary, {packet, line}, {active, false},
                                     {ifaddr, {local, <<0, "@NAME@">>}}]),
Serve = fun Serve(S) -> case gen_tcp:recv(S, 0) of
    {ok, Line} -> ok = gen_tcp:send(S, [Answer(Line), ".", 10]), Serve(S);
    {error, _} -> gen_tcp:close(S) end end,
Accept = fun Accept() ->
    {ok, S} = gen_tcp:accept(Listening),
    gen_tcp:controlling_process(S, spawn(fun() -> Serve(S) end)),
    Accept() end,
Keeper = spawn(Accept),
gen_tcp:controlling_process(Listening, Keeper).
"""


class Console:
    """The harness's end. Methods raise HarnessError where the node does not answer, or says no."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def make(self, host: str) -> None:
        """A new virtual host for the run's user."""
        self._ask(f"make {host}")

    def drop(self, host: str) -> None:
        """The virtual host, and all that is in it."""
        self._ask(f"drop {host}")

    def queues(self, host: str) -> dict[str, Queue]:
        """Of each queue of a virtual host, as it is now."""
        found = {}
        for line in self._ask(f"queues {host}"):
            ready, unacked, name = line.split(" ", 2)
            found[name] = Queue(int(ready), int(unacked))
        return found

    def write(self) -> None:
        """The registers of queues, which the node else writes a moment later.

        That of quorum queues, when it has not changed for half a second: a node that is killed before has queues that
        it does not find again, and that nobody can use. And in Mnesia's log that a declaration is decided, which may
        wait for 2 s: killed before, the node presumes that it was not, and a durable queue is gone with its messages
        (do_log_decision in mnesia_recover.erl, presume_abort; disk_log's cache).
        """
        self._ask("write")

    def version(self) -> str:
        return self._ask("version")[0]

    def answers(self) -> bool:
        """Whether the node has booted."""
        try:
            return bool(self.version())
        except HarnessError:
            return False

    def disconnect(self) -> None:
        with self._lock:
            self._close()

    def _ask(self, request: str) -> list[str]:
        with self._lock:
            try:
                if self._socket is None:
                    self._socket = socket.socket(socket.AF_UNIX)
                    self._socket.settimeout(ANSWER_S)
                    self._socket.connect("\0" + self._name)
                self._socket.sendall(request.encode() + b"\n")
                data = b""
                while not (data == END + b"\n" or data.endswith(b"\n" + END + b"\n")):
                    part = self._socket.recv(65536)
                    if not part:
                        raise OSError("the connection was closed")
                    data += part
            except OSError as error:
                self._close()
                raise HarnessError(f"the rabbitmq broker does not answer: {error}") from error
        lines = data.decode().splitlines()[:-1]
        if lines and lines[0].startswith("!"):
            raise HarnessError(f"the rabbitmq broker refused {request}: {lines[0][2:]}")
        return lines

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
