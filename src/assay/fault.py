"""The faults that land, how each is known to have landed, and where those of a chaos run may strike. Data only."""

from dataclasses import dataclass
from enum import StrEnum

from assay.errors import UsageError
from assay.event import Point
from assay.selection import nearest

CRASH_BURST, RECYCLING_STORM = "crash burst", "recycling storm"
BROKER_EMPTIED, BROKER_KILLED_UNREAD = "broker emptied", "broker killed unread"
BROKER_KEPT = "broker restarted with data"
BURSTS = (CRASH_BURST, RECYCLING_STORM)  # which bring invocations of their own, and are about those
FAULTLESS = ("none", "none (under load)", "misspelt queue", "unknown task")  # nothing lands on work that is under way
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
    "rolling restart",
    "scaled to none",
    "out of memory",
    "crash burst",
)  # a worker or a part of it ends with work under way: what the evidence bound speaks of
FAULTS = {
    "none": "nothing is broken: what is promised for an ordinary day",
    "none (under load)": "nothing is broken, and many invocations are worked off in a row",
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
    "black hole": "nothing arrives any more on the main process's connections to the broker, in either direction, and "
    "nobody is told, as by a NAT that has forgotten them; new ones work. Landed when what one side sends is not "
    "acknowledged by the other one's kernel",
    "connection slowed": "the main process's connections to the broker carry 50 kB a second in each direction for a "
    "while, as a congested line does; new ones are not slowed. Landed when each has that rate at both ends",
    "broker restarted": "the broker is killed and started again at the same address: a Redis empty, as one without "
    "persistence is, a RabbitMQ with what is durable; landed when the new one serves",
    BROKER_KEPT: "the broker is killed, and started again at the same address when the worker has given its connection "
    "up, with what it had: a Redis with an append-only file that is synced at every write, a RabbitMQ with what is "
    "durable; landed when the new one serves",
    BROKER_KILLED_UNREAD: "the broker stands still (SIGSTOP), is sent a message, is killed, and comes back with its "
    "data; landed when the message was in its socket, unread, when it was killed",
    BROKER_EMPTIED: "the broker is killed and comes back at the same address with nothing, whatever it is; landed "
    "when the new one serves",
    "SIGSTOP": "the main process is stopped for a while and goes on; landed when all of its threads have stopped",
    "results gone": "the server of the results is killed, and started again empty when a try to store one has failed; "
    "or their database is locked for longer than its timeout; landed when that try has failed",
    "results away": "the server of the results stands still for a while, or their database is locked; landed when "
    "the child that stores a result waits for it",
    "results slow": "the server of the results is stopped (SIGSTOP) for a second, or their database is locked for a "
    "second; landed when each child waits for it",
    "SIGSTOP past visibility": "the main process is stopped while a worker whose clock is past the visibility timeout "
    "takes over what it has, and goes on; landed when all of its threads have stopped and the other one is ready",
    "clock ahead": "one more worker starts whose clock is ahead by more than the visibility timeout, and gets SIGTERM "
    "later; landed when it is ready",
    "rolling restart": "one after another, each worker is followed by a new one and gets SIGTERM; landed when all of "
    "them say that they stop",
    "scaled to none": "all workers get SIGTERM, and for a while none is started; landed when all of them say that "
    "they stop",
    "crash burst": "five more invocations of the task arrive, of which each first attempt ends its process by "
    "os._exit; landed when main knows that each of these children is lost",
    "recycling storm": "one more worker starts that replaces its child after each task, with a dozen more invocations, "
    "and gets SIGTERM; landed when it has replaced three",
    "out of memory": "a pool child gets a memory limit that it is over, and the kernel's out-of-memory killer ends it; "
    "landed when the kernel has counted that and the child is gone",
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


class Needs(StrEnum):
    """What a fault cannot do without."""

    BROKER = "a broker of the run's own"
    DATA = "a broker of the run's own that keeps its data over a restart"
    RESULTS = "results that are stored where the run can take them away: in a Redis, or in a Django database"
    VISIBILITY = "a visibility timeout, which Redis has"
    CHILDREN = "a prefork pool"
    MEMORY = "a memory limit for a single process: a control group that this user may make"


@dataclass(frozen=True)
class Strikes:
    """Where a fault of a chaos run may strike. `lasts_s`: for how long, at least and at most, where it is healed."""

    points: tuple[Point, ...]
    lasts_s: tuple[float, float] | None = None
    takes_child: bool = False  # no more than the child that runs the attempt is hit
    stops: bool = False  # a worker is told to stop, and has to
    everywhere: bool = False  # all workers feel it, so nothing else is broken meanwhile
    leaves_none: bool = False  # no worker is started until it is healed
    needs: tuple[Needs, ...] = ()


IN_BODY = (Point.BODY_ENTER, Point.BODY_MIDDLE, Point.BODY_EXIT)
IN_CHILD = (*IN_BODY, Point.BEFORE_RESULT, Point.AFTER_RESULT, Point.AFTER_TRACE)
#: what each of them does is in faults/
STRIKING = {
    "SIGKILL child": Strikes(IN_CHILD, takes_child=True),
    "SIGKILL main": Strikes(IN_CHILD),
    "SIGKILL group": Strikes(IN_CHILD),
    "SIGTERM": Strikes(IN_BODY, stops=True),
    "SIGQUIT": Strikes(IN_BODY, stops=True),
    "SIGTERM, then SIGKILL": Strikes(IN_BODY),
    "SIGSTOP": Strikes(IN_BODY, lasts_s=(0.2, 1.5)),
    "SIGSTOP past visibility": Strikes(IN_BODY, lasts_s=(0.5, 1.5), needs=(Needs.VISIBILITY, Needs.CHILDREN)),
    "connection cut": Strikes(IN_BODY),
    "connection reset": Strikes(IN_BODY),
    "black hole": Strikes(IN_BODY, lasts_s=(0.2, 1.5), needs=(Needs.BROKER,)),
    "connection slowed": Strikes(IN_BODY, lasts_s=(0.5, 3.0), needs=(Needs.BROKER,)),
    "broker restarted": Strikes(IN_BODY, everywhere=True, needs=(Needs.DATA,)),
    BROKER_EMPTIED: Strikes(IN_BODY, everywhere=True, needs=(Needs.BROKER,)),
    "results away": Strikes((Point.BEFORE_RESULT,), lasts_s=(0.2, 1.5), everywhere=True, needs=(Needs.RESULTS,)),
    "rolling restart": Strikes(IN_BODY, stops=True, everywhere=True),
    "scaled to none": Strikes(IN_BODY, lasts_s=(0.2, 1.5), stops=True, everywhere=True, leaves_none=True),
    "clock ahead": Strikes(IN_BODY, lasts_s=(0.5, 1.5), stops=True, needs=(Needs.VISIBILITY,)),
    "crash burst": Strikes(IN_BODY, takes_child=True, needs=(Needs.CHILDREN,)),
    "recycling storm": Strikes(IN_BODY, stops=True, needs=(Needs.CHILDREN,)),
    "out of memory": Strikes(IN_BODY, takes_child=True, needs=(Needs.CHILDREN, Needs.MEMORY)),
}

STOPPING = tuple(fault for fault, strikes in STRIKING.items() if strikes.stops)  # of these workers end by themselves


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
