"""Histories of many invocations as they might happen, and some that never would: for Hypothesis.

Each invocation is a few rounds; most go plainly, so that much can be forgotten, and any may be heard of again.
"""

from random import Random

from histories import At, acked, ended, event, killed, published, received, retry, settled, signal, started, unsettled
from hypothesis import strategies as st

from assay.event import Event, Kind

PIDS = (11, 12, 13, 14)
ENDS = (
    *("returns",) * 9,
    *("raises", "retries", "killed before", "killed in it", "killed after", "exits", "limited", "held", "hangs"),
)


def round_of(invocation: str, number: int, end: str, rnd: Random) -> list[At]:
    """One delivery and what came of it."""
    pid = rnd.choice(PIDS)
    early = rnd.random() < 0.4
    queue = "shop" if rnd.random() < 0.95 else "default"
    begun = list(started(invocation, number, pid=pid, retries=number))
    ack = [acked(invocation)] * rnd.choice((1, 1, 1, 1, 1, 1, 1, 1, 0, 2))
    told = [signal("task_success", invocation)] if rnd.random() < 0.8 else []
    fault = list(killed(pid, invocation))[rnd.choice((0, 0, 2)) :]
    ways: dict[str, list[At]] = {
        "returns": [*begun, ended(invocation, number, pid=pid)[0], *told, ended(invocation, number, pid=pid)[1]],
        "raises": [
            *begun,
            signal("task_failure", invocation),
            *ended(invocation, number, pid=pid, raised="ValueError"),
        ],
        "retries": [
            *begun,
            retry(invocation, number + 1),
            *ended(invocation, number, pid=pid, raised="X", state="RETRY"),
        ],
        "killed before": fault,
        "killed in it": [*begun, *fault],
        "killed after": [*begun, ended(invocation, number, pid=pid)[0], *fault],
        "exits": [*begun, *ended(invocation, number, pid=pid, raised="SystemExit")],
        "limited": [*begun, event(Kind.HARD_LIMIT, invocation, limit_s=1.0, child=pid), *fault],
        "held": [
            *begun,
            event(Kind.HELD, invocation, pid=pid, point="body_middle"),
            *ended(invocation, number, pid=pid),
        ],
        "hangs": begun,
    }
    way = ways[end]
    cut = rnd.randrange(len(way) + 1) if early else len(way)
    accepted = event(Kind.ACCEPTED, invocation, child=pid)
    return [received(invocation, queue, redelivered=number > 0), accepted, *way[:cut], *ack, *way[cut:]]


def life_of(invocation: str, ends: list[str], rnd: Random) -> list[At]:
    events = [each for number, end in enumerate(ends) for each in round_of(invocation, number, end, rnd)]
    if rnd.random() < 0.1:
        events.append(signal(rnd.choice(("task_success", "task_failure")), invocation))
    for kind in (Kind.REVOKED, Kind.UNKNOWN_TASK, Kind.REJECTED, Kind.RELEASED, Kind.EFFECT):
        if rnd.random() < 0.03:
            events.insert(rnd.randrange(len(events) + 1), event(kind, invocation))
    if rnd.random() < 0.97:  # else nobody published it, or the line that says so is torn
        kind = rnd.choice((*(Kind.PUBLISHED,) * 12, Kind.PUBLISH_IN_DOUBT, Kind.PUBLISH_FAILED))
        late = rnd.randrange(len(events) + 1) if rnd.random() < 0.3 else 0
        events.insert(late, published(invocation, kind))
    return events


def final_read(ids: list[str], rnd: Random) -> list[At]:
    states = (*("SUCCESS",) * 12, *("ignored",) * 3, "FAILURE", "STARTED", "PENDING", "RETRY")
    few = [each for each in [*ids, "never"] if rnd.random() < 0.04]
    events = [
        settled() if rnd.random() < 0.8 else unsettled(),
        event(Kind.FINAL_QUEUE, pid=1, worker="", queue="shop", ids=few),
        event(Kind.FINAL_UNACKED, pid=1, worker="", ids=[each for each in ids if rnd.random() < 0.03]),
    ]
    for each in [*ids, "never"]:
        if rnd.random() < 0.8:
            events.append(event(Kind.FINAL_RESULT, each, pid=1, worker="", state=rnd.choice(states)))
    if rnd.random() < 0.1:
        events.append(event(Kind.FINAL_PROCESS, pid=1, worker="", left=99, command="sleep 60"))
    return events


def interleaved(lives: list[list[At]], rnd: Random) -> list[At]:
    """Each life in its order; how many are open at a time differs."""
    waiting, running, events = list(reversed(lives)), [], []
    most = rnd.choice((1, 3, len(lives) + 1))
    while waiting or running:
        while waiting and len(running) < most:
            running.append(iter(waiting.pop()))
        chosen = rnd.choice(running)
        each = next(chosen, None)
        if each is None:
            running.remove(chosen)
        else:
            events.append(each)
    return events


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """In clock order; some events are of the same instant."""
    rnd = Random(
        draw(st.integers(0, 2**32))
    )  # the lives shrink, their details do not: drawing each is ten times slower
    lives = draw(st.lists(st.lists(st.sampled_from(ENDS), min_size=0, max_size=3), max_size=12))
    lives = [life[:1] if rnd.random() < 0.7 else life for life in lives]
    ids = [f"i{number}" for number in range(len(lives))]
    events = interleaved([life_of(each, ends, rnd) for each, ends in zip(ids, lives, strict=True)], rnd)
    started_at = [event(Kind.WORKER_SPAWNED, pid=1), *(event(Kind.CHILD_STARTED, pid=pid) for pid in PIDS)]
    for _ in range(rnd.choice((0, 0, 1, 2))):
        of_the_world = rnd.choice(
            (
                event(Kind.FAULT_LANDED, pid=1, fault="connection", target=10, signal="SIGTERM"),
                event(Kind.CHILD_STOPPING, pid=rnd.choice(PIDS)),
                event(Kind.WORKER_EXITED, pid=1, status=-9),
            )
        )
        events.insert(rnd.randrange(len(events) + 1), of_the_world)
    now = 0
    made = []
    for each in [*started_at, *events, *final_read(ids, rnd)]:
        now += rnd.choice((0, 1, 1_000_000, 50_000_000))
        made.append(Event(at_ns=now, **each))
    return made
