"""One invocation's life, told in order: what happened, when after its publication, and in which process."""

from collections.abc import Callable, Container, Iterable
from pathlib import Path
from typing import Any

from assay.errors import UsageError
from assay.event import Event, Kind, told_pid
from assay.history import History
from assay.reports.words import plain

# Events without an invocation that decide its fate all the same, told where they fall into its life.
AROUND = frozenset(
    {
        Kind.WORKER_SPAWNED,
        Kind.WORKER_EXITED,
        Kind.WORKER_STOPPING,
        Kind.WORKER_READY,
        Kind.FAULT_INJECTED,
        Kind.FAULT_LANDED,
        Kind.FAULT_HEALED,
        Kind.CHILD_LOST,
        Kind.POOL_RESTARTED,
        Kind.CONNECTION_LOST,
        Kind.CONNECTION_UP,
        Kind.CONSUMER_ENDED,
        Kind.SETTLED,
        Kind.UNSETTLED,
    }
)
BY_HARNESS = frozenset(
    {Kind.WORKER_SPAWNED, Kind.WORKER_EXITED, Kind.FAULT_INJECTED, Kind.FAULT_LANDED, Kind.FAULT_HEALED}
)
FINAL = frozenset({Kind.FINAL_QUEUE, Kind.FINAL_UNACKED, Kind.FINAL_RESULT, Kind.FINAL_PROCESS})


def find_life(run: Path, prefix: str) -> tuple[Path, str]:
    """The folder of the history that knows the one invocation whose id begins with `prefix`, and the whole id.

    Raises UsageError where none or several begin so.
    """
    found: dict[str, Path] = {}
    for events in sorted(run.rglob("events")):
        if events.is_dir():
            for event in History(events.parent):
                if event.invocation.startswith(prefix):
                    found.setdefault(event.invocation, events.parent)
    if not found:
        raise UsageError(f"no invocation in {run} begins with {prefix}")
    if len(found) > 1 and prefix not in found:
        shown = ", ".join(sorted(found)[:5])
        raise UsageError(f"{len(found)} invocations in {run} begin with {prefix}: {shown}; say more of the id")
    invocation = prefix if prefix in found else next(iter(found))
    return found[invocation], invocation


def tell(folder: Path, invocation: str) -> str:
    """The life of `invocation` in the history of `folder`, a line an event."""
    history = History(folder)
    return "".join(f"{line}\n" for line in told(history, invocation)) + _torn(history.torn)


def _torn(lines: int) -> str:
    return f"\n{lines} last lines were torn by a kill and are missing here\n" if lines else ""


def told(events: Iterable[Event], invocation: str) -> list[str]:
    """The lines of the story: a head, then time since publication, lane (worker, role, pid) and what happened.

    `events` in clock order. Pure: the pytest plugin tells failures with it.
    """
    mains: dict[str, set[int]] = {}
    life: list[Event] = []
    task = ""
    for event in events:
        if event.kind in {Kind.WORKER_SPAWNED, Kind.WORKER_STARTED, Kind.WORKER_READY}:
            mains.setdefault(event.worker, set()).add(event.detail.get("pid") or event.pid)
        if event.invocation == invocation or _mentions(event, invocation) or (event.kind in AROUND and life):
            task = task or event.task
            life.append(event)
    if not life:
        return [f"nothing is recorded of {invocation}"]
    life = sorted(_near(life, invocation), key=_at_ns)
    began = next((_at_ns(e) for e in life if e.kind is Kind.PUBLISHED and e.invocation == invocation), life[0].at_ns)
    rows = [
        (f"{(_at_ns(e) - began) / 1e9:+.3f} s", lane_of(e, mains.get(e.worker, ())), sentence(e, invocation))
        for e in life
    ]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    head = f"{invocation}  {task or 'task unknown'}"
    return [head, *(f"  {at:>{widths[0]}}  {lane:<{widths[1]}}  {what}" for at, lane, what in rows)]


def _at_ns(event: Event) -> int:
    """Of a publication, when it was asked for: it is recorded after its whole batch."""
    return int(event.detail.get("asked_at_ns", event.at_ns)) if event.kind is Kind.PUBLISHED else event.at_ns


def _near(life: list[Event], invocation: str) -> list[Event]:
    """Without what befell workers that never had it, or others when it was over; of the waits for the end the last."""
    own = [event for event in life if event.invocation == invocation and event.kind not in FINAL]
    had, over_ns = {event.worker for event in own} | {""}, max((event.at_ns for event in own), default=0)
    waits = [event for event in life if event.kind in (Kind.SETTLED, Kind.UNSETTLED)]
    return [
        event
        for event in life
        if event.worker in had
        and event not in waits[:-1]
        and (event.invocation in ("", invocation) or event.at_ns <= over_ns)
    ]


def _mentions(event: Event, invocation: str) -> bool:
    return event.kind in FINAL and invocation in event.detail.get("ids", ())


def lane_of(event: Event, mains: Container[int]) -> str:
    """The process that tells it: "w1 child 4711", "harness". `mains` are the pids of main processes."""
    if not event.worker or event.kind in BY_HARNESS:
        return "harness"
    role = "main" if event.pid in mains else "child"
    return f"{event.worker} {role} {told_pid(event.pid)}"


def sentence(event: Event, invocation: str = "") -> str:
    """What happened, in plain words."""
    words = SENTENCES.get(event.kind)
    told = words(event.detail) if words else str(event.kind).replace("_", " ")
    if event.kind in BY_HARNESS and event.worker:
        told += f" ({event.worker})"
    if event.invocation and event.invocation != invocation:
        told += f", by invocation {event.invocation[:8]}"
    return plain(told)


Words = Callable[[dict[str, Any]], str]


def _with(text: str, **named: str) -> Words:
    """A sentence, followed by each of the details that is there, after its own words (", ..." or " ...")."""

    def words(detail: dict[str, Any]) -> str:
        given = {key: label for key, label in named.items() if detail.get(key) is not None}
        return text + "".join(f"{label} {_value(key, detail[key])}" for key, label in given.items())

    return words


def _value(key: str, value: Any) -> Any:
    return told_pid(value) if key in ("pid", "child", "target") and isinstance(value, int) else value


def _raised(detail: dict[str, Any]) -> str:
    message = detail.get("message")
    return f"body raised {detail['raised']}" + (f": {message}" if message else "")


def _status(detail: dict[str, Any]) -> str:
    status = detail.get("status")
    if status is None:  # of a worker elsewhere
        return f"worker main {_value('pid', detail.get('pid', ''))} is gone"
    how = f"killed by signal {-status}" if isinstance(status, int) and status < 0 else f"with exit status {status}"
    return f"worker main {detail.get('pid', '')} is gone, {how}"


def _received(detail: dict[str, Any]) -> str:
    again = "delivered again" if detail.get("redelivered") else "delivered"
    return f"{again} from queue {detail['queue']}" if detail.get("queue") else again


def _started(detail: dict[str, Any]) -> str:
    notes = [f"retry {detail['retries']}"] if detail.get("retries") else []
    notes += ["redelivered"] if detail.get("redelivered") else []
    return "attempt starts" + (f" ({', '.join(notes)})" if notes else "")


def _effect(detail: dict[str, Any]) -> str:
    told = ", ".join(str(key) if value is True else f"{key} {value}" for key, value in detail.items())
    return f"the body tells: {told.replace('_', ' ')}"


SENTENCES: dict[Kind, Words] = {
    Kind.PUBLISHED: _with("published", queue=" to queue"),
    Kind.PUBLISH_FAILED: _with("publishing failed", error=":"),
    Kind.PUBLISH_IN_DOUBT: _with("publishing is in doubt", error=":"),
    Kind.WORKER_SPAWNED: _with("worker started", pid=", pid"),
    Kind.WORKER_EXITED: _status,
    Kind.WORKER_READY: _with("worker is ready"),
    Kind.WORKER_STOPPING: _with("worker is stopping", how=","),
    Kind.WORKER_HANGS: _with("worker was told to stop and hangs", after_s=", after seconds:"),
    Kind.FAULT_INJECTED: _with("FAULT injected", fault=":", target=", pid", point=", at point"),
    Kind.FAULT_LANDED: _with("FAULT landed", fault=":", target=", pid", point=", at point"),
    Kind.FAULT_HEALED: _with("fault healed", fault=":"),
    Kind.SETTLED: _with("the run has settled: broker empty, no attempt open"),
    Kind.UNSETTLED: _with("the run did not settle", open="; still open:"),
    Kind.FINAL_QUEUE: _with("at the end still in the queue", queue=""),
    Kind.FINAL_UNACKED: _with("at the end still unacknowledged in the broker"),
    Kind.FINAL_RESULT: _with("at the end the result backend says", state=":", error=":"),
    Kind.FINAL_PROCESS: _with("at the end a process of the task is still alive", pid=", pid", command=":"),
    Kind.RECEIVED: _received,
    Kind.CLOCK: _with("tells what its clock shows"),
    Kind.ACCEPTED: _with("handed to a pool child", child=", pid"),
    Kind.ACKED: _with("acknowledged to the broker"),
    Kind.ACK_FAILED: _with("the acknowledgement failed", error=":"),
    Kind.REJECTED: lambda d: "rejected, back to the queue" if d.get("requeue") else "rejected and dropped",
    Kind.REVOKED: lambda d: "expired" if d.get("expired") else "revoked",
    Kind.UNKNOWN_TASK: _with("the worker does not know the task and drops the message:", name=""),
    Kind.SOFT_LIMIT: _with("soft time limit passed", limit_s=", seconds:"),
    Kind.HARD_LIMIT: _with("hard time limit passed", limit_s=", seconds:"),
    Kind.CHILD_KILLED: _with("main has killed the child", child=", pid"),
    Kind.CHILD_LOST: _with("main notices that the child is gone", child=", pid", exitcode=", exit code"),
    Kind.LOSS_HANDLED: _with("main has dealt with the loss of the child", child=", pid"),
    Kind.POOL_RESTARTED: _with("the pool was restarted"),
    Kind.CONNECTION_LOST: _with("connection to the broker lost", error=":"),
    Kind.CONNECTION_CLOSED: _with("what the lost connection had delivered is given up"),
    Kind.CONNECTION_UP: _with("connected to the broker"),
    Kind.CONSUMER_ENDED: _with("main stops consuming", error=":"),
    Kind.CONSUMER_STOPPED: _with("main has told the broker that it consumes no more"),
    Kind.GIVEN_BACK: _with("given back to its queue by a worker that ends"),
    Kind.SWEPT: _with("looked for messages past their visibility timeout", restored=", given back:"),
    Kind.ATTEMPT_STARTED: _started,
    Kind.BODY_ENTERED: _with("body entered"),
    Kind.BODY_EXITED: lambda d: _raised(d) if d.get("raised") else "body returned",
    Kind.ATTEMPT_ENDED: _with("attempt ends", state=" as"),
    Kind.RESULT_STORED: _with("result stored", state=":"),
    Kind.RESULT_FAILED: _with("storing the result failed", state=":", error=":"),
    Kind.SIGNAL: _with("Celery's signal", name=""),
    Kind.SENT: _with(
        "published again by the worker", queue=" to queue", retries=", retry", countdown_s=", delay in seconds:"
    ),
    Kind.EFFECT: _effect,
    Kind.HELD: _with("held", point=" at point"),
    Kind.RELEASED: _with("let go", point=" at point"),
}
