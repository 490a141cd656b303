"""The faults that land, how each is known to have landed, and where those of a chaos run may strike. Data only."""

from dataclasses import dataclass

from assay.errors import UsageError
from assay.event import Point
from assay.selection import nearest

FAULTLESS = ("none", "none, under load", "misspelt queue", "unknown task")  # nothing lands on work that is under way
KILLS = (
    "SIGKILL child",
    "SIGKILL main",
    "SIGKILL group",
    "SIGKILL by the kernel",
    "SIGTERM",
    "SIGQUIT",
    "SIGTERM, then SIGKILL",
    "SIGTERM group",
    "SIGQUIT group",
    "SIGTERM twice",
    "SIGINT group",
    "SIGINT group twice",
    "SIGTERM, then SIGKILL main",
    "rolling deploy",
)  # a worker or a part of it ends with work under way: what the evidence bound speaks of
FAULTS = {
    "none": "nothing is broken: what is promised for an ordinary day",
    "none, under load": "nothing is broken, and many invocations are worked off in a row",
    "SIGKILL child": "a pool child is held at a crash point and killed; landed when the kernel has its exit status",
    "SIGKILL main": "the main process is killed, as by `kill -9`; landed when it and its children are gone",
    "SIGKILL group": "main process and children are killed at once, as a container is; landed when all are gone",
    "SIGKILL by the kernel": "a child dies as the out-of-memory killer ends it: no cleanup, the kernel tells main",
    "SIGKILL every time": "each child that runs the invocation is killed; landed when the kernel has the exit statuses",
    "exits every time": "the body ends its own process, by os._exit at first and by sys.exit then; landed when the "
    "kernel has the exit statuses",
    "SIGTERM": "warm shutdown with work in flight; landed when the worker says that it stops",
    "SIGQUIT": "cold or soft shutdown with work in flight; landed when the worker says that it stops",
    "SIGTERM, then SIGKILL": "warm shutdown; landed when the worker says that it stops, then all are killed mid-task",
    "SIGTERM group": "SIGTERM to main process and children at once, as systemd's KillMode=control-group sends it; "
    "landed when the worker says that it stops",
    "SIGQUIT group": "SIGQUIT to the main process and its children at once; landed when the worker says that it stops",
    "SIGTERM twice": "SIGTERM, and once more while the body still runs; landed each time when the worker says so",
    "SIGINT group": "SIGINT to the main process and its children, as Ctrl+C in a terminal sends it; landed when the "
    "worker says that it stops",
    "SIGINT group twice": "Ctrl+C, and once more while the body still runs; landed each time when the worker says so",
    "SIGTERM, then SIGKILL main": "warm shutdown; landed when the worker says that it stops, then main alone "
    "is killed mid-task",
    "rolling deploy": "a new worker starts under load, the old one gets SIGTERM; landed when that says that it stops",
    "connection cut": "all connections of the main process to the broker are closed in order (FIN), as by a broker "
    "that goes down; landed when the kernel has none of them any more",
    "connection reset": "the same connections are aborted (RST), as by a firewall that has forgotten them; landed when "
    "the kernel has none of them any more",
    "broker restarted": "the broker is killed and started again at the same address: a Redis empty, as one without "
    "persistence is, a RabbitMQ with what is durable; landed when the new one serves",
    "SIGSTOP": "the main process is stopped for a while and goes on; landed when all of its threads have stopped",
    "results gone": "the server of the results is killed, and started again empty when a try to store one has failed; "
    "or their database is locked for longer than its timeout; landed when that try has failed",
    "results slow": "the server of the results is stopped (SIGSTOP) for a second, or their database is locked for a "
    "second; landed when each child waits for it",
    "pool_restart": "the pool is restarted by remote control; landed when all children are new",
    "revoke": "the invocation is revoked with terminate=True; landed when the child is gone",
    "transient error": "the body raises an error that the task retries for; landed when it was raised",
    "another error": "the body raises an error that the task does not retry for; landed when it was raised",
    "too slow": "the body outlasts its time limit; landed when it was still running at the limit",
    "memory": "the body takes more memory than worker_max_memory_per_child; landed when it has it",
    "large results": "bodies return results of 300 kB while children are replaced",
    "a clogged queue": "another queue is full of slow work",
    "misspelt queue": "a message is published to a queue that is not declared",
    "unknown task": "a message names a task that no worker has",
}


def registry() -> dict[str, str]:
    """{fault: what is done, and how it is known to have landed}, for `assay list faults`."""
    return dict(FAULTS)


@dataclass(frozen=True)
class Strikes:
    """Where a fault of a chaos run may strike. `lasts_s`: for how long, at least and at most, where it is healed."""

    points: tuple[Point, ...]
    lasts_s: tuple[float, float] | None = None
    takes_child: bool = False  # no more than the child that runs the attempt is hit


IN_BODY = (Point.BODY_ENTER, Point.BODY_MIDDLE, Point.BODY_EXIT)
IN_CHILD = (*IN_BODY, Point.BEFORE_RESULT, Point.AFTER_RESULT, Point.AFTER_TRACE)
#: what each of them does is in faults/
STRIKING = {
    "SIGKILL child": Strikes(IN_CHILD, takes_child=True),
    "SIGKILL main": Strikes(IN_CHILD),
    "SIGKILL group": Strikes(IN_CHILD),
    "SIGTERM": Strikes(IN_BODY),
    "SIGQUIT": Strikes(IN_BODY),
    "SIGTERM, then SIGKILL": Strikes(IN_BODY),
    "SIGSTOP": Strikes(IN_BODY, lasts_s=(0.2, 1.5)),
    "connection cut": Strikes(IN_BODY),
    "connection reset": Strikes(IN_BODY),
}

STOPPING = ("SIGTERM", "SIGQUIT")  # of these the worker ends by itself


def named(fault: str) -> str:
    """A fault's name as a command line can take it: "SIGTERM, then SIGKILL" is sigterm-then-sigkill."""
    return "-".join("".join(c if c.isalnum() else " " for c in fault.lower()).split())


def called(name: str, there_are: str = "there are") -> str:
    """The fault of a chaos run that has this name, in either spelling. Raises UsageError where there is none."""
    for fault in STRIKING:
        if name in (fault, named(fault)):
            return fault
    slugs = [named(fault) for fault in STRIKING]
    hint = nearest(name, slugs) or f"; {there_are} {', '.join(slugs)}"
    raise UsageError(f"there is no fault {name or 'without a name'}{hint}")
