"""Histories in a few words: `story(published("a"), received("a"), *attempt("a", pid=7), acked("a"))`."""

from itertools import count
from typing import Any

from assay.event import Event, Kind

MAIN, CHILD = 10, 11
STEP_NS = 10_000_000


class At(dict[str, Any]):
    """An event without its time: `story` gives each the next one."""


def event(
    kind: Kind, invocation: str = "", *, pid: int = MAIN, attempt: str = "", worker: str = "w1", **detail: Any
) -> At:
    task = "shop.charge" if invocation else ""
    return At(kind=kind, pid=pid, worker=worker, invocation=invocation, task=task, attempt=attempt, detail=detail)


def story(*events: At | Event, step_ns: int = STEP_NS) -> list[Event]:
    """In the order given, a hundredth of a second apart."""
    clock = count(step_ns, step_ns)
    return [Event(at_ns=next(clock), **each) if isinstance(each, At) else each for each in events]


def published(invocation: str = "a", kind: Kind = Kind.PUBLISHED, **detail: Any) -> At:
    return event(kind, invocation, pid=1, worker="", queue="shop", **detail)


def received(invocation: str = "a", queue: str = "shop", **detail: Any) -> At:
    return event(Kind.RECEIVED, invocation, queue=queue, **detail)


def acked(invocation: str = "a") -> At:
    return event(Kind.ACKED, invocation)


def started(invocation: str = "a", number: int = 1, *, pid: int = CHILD, retries: int = 0) -> tuple[At, At]:
    token = f"{pid}-{invocation}{number}"
    return (
        event(Kind.ATTEMPT_STARTED, invocation, pid=pid, attempt=token, retries=retries),
        event(Kind.BODY_ENTERED, invocation, pid=pid, attempt=token),
    )


def ended(
    invocation: str = "a", number: int = 1, *, pid: int = CHILD, raised: str = "", state: str = ""
) -> tuple[At, At]:
    token = f"{pid}-{invocation}{number}"
    detail = {"raised": raised} if raised else {}
    state = state or ("FAILURE" if raised else "SUCCESS")
    return (
        event(Kind.BODY_EXITED, invocation, pid=pid, attempt=token, **detail),
        event(Kind.ATTEMPT_ENDED, invocation, pid=pid, attempt=token, state=state),
    )


def attempt(
    invocation: str = "a", number: int = 1, *, pid: int = CHILD, retries: int = 0, **end: Any
) -> tuple[At, ...]:
    return *started(invocation, number, pid=pid, retries=retries), *ended(invocation, number, pid=pid, **end)


def killed(pid: int = CHILD, invocation: str = "a") -> tuple[At, At, At]:
    detail = {"fault": "SIGKILL child", "target": pid, "signal": "SIGKILL", "point": "body_middle"}
    return (
        event(Kind.FAULT_INJECTED, invocation, pid=1, **detail),
        event(Kind.FAULT_LANDED, invocation, pid=1, **detail),
        event(Kind.CHILD_LOST, invocation, child=pid, exitcode=-9),
    )


def retry(invocation: str = "a", number: int = 1, countdown_s: float = 60.0, scale: float = 60.0) -> At:
    return event(Kind.SENT, invocation, pid=CHILD, retries=number, countdown_s=countdown_s, scale=scale, queue="shop")


def signal(name: str, invocation: str = "a") -> At:
    return event(Kind.SIGNAL, invocation, pid=CHILD, name=name)


def hook(name: str, invocation: str = "a") -> At:
    return event(Kind.HOOK, invocation, pid=CHILD, name=name)


def revoked(invocation: str = "a") -> At:
    return event(Kind.REVOKED, invocation)


def result(state: str, invocation: str = "a") -> At:
    return event(Kind.FINAL_RESULT, invocation, pid=1, worker="", state=state)


def settled() -> At:
    return event(Kind.SETTLED, pid=1, worker="")


def unsettled() -> At:
    return event(Kind.UNSETTLED, pid=1, worker="", open=["a"])


def still_queued(*invocations: str) -> At:
    return event(Kind.FINAL_QUEUE, pid=1, worker="", queue="shop", ready=len(invocations), ids=list(invocations))
