"""Sentences about lives, with times relative to the publication."""

from collections.abc import Iterable, Mapping

from assay.counted import listed
from assay.event import Event, Kind, told_pid
from assay.life import Attempt, Life, World


def chosen(lives: Mapping[str, Life], ids: list[str]) -> list[Life]:
    """The lives of these ids, or of all published invocations; an id without an event has an empty life."""
    if ids:
        return [lives.get(each) or Life(each) for each in ids]
    return [life for life in lives.values() if life.publish is not None]


def forgotten(world: World, ids: list[str]) -> int:
    """How many plain lives would be chosen too, had they been kept."""
    return 0 if ids else world.forgotten.total()


def since(life: Life, at_ns: int) -> str:
    return f"{(at_ns - life.published_at) / 1e9:.3f} s"


def short(life: Life) -> str:
    return f"{life.task.rpartition('.')[2] or 'invocation'}[{life.id[:8]}]"


def times(number: int) -> str:
    """ "once", "2 times"."""
    return {1: "once"}.get(number, f"{number} times")


def killed(attempt: Attempt, world: World) -> bool:
    """Its process died before it could say that it had ended."""
    return attempt.ended_at is None and attempt.pid in world.dead


def tale(life: Life, world: World) -> str:
    """The life in one sentence: acknowledgements, attempts and deaths in their order."""
    parts: list[tuple[int, str]] = []
    for number, attempt in enumerate(life.attempts, 1):
        pid = told_pid(attempt.pid)
        parts.append((attempt.started_at, f"attempt {number} began at {since(life, attempt.started_at)} in pid {pid}"))
        if attempt.done and attempt.exited_at:
            parts.append((attempt.exited_at, f"its work was done at {since(life, attempt.exited_at)}"))
        elif attempt.raised and attempt.exited_at:
            parts.append((attempt.exited_at, f"it raised {attempt.raised}"))
        if killed(attempt, world):
            parts.append((world.dead[attempt.pid], f"pid {pid} died at {since(life, world.dead[attempt.pid])}"))
    parts += [(event.at_ns, f"acknowledged at {since(life, event.at_ns)}") for event in life.acks]
    parts += [
        (event.at_ns, "given back to its queue" if event.detail.get("requeue") else "rejected for good")
        for event in life.rejects
    ]
    told = [text for _, text in sorted(parts)]
    return ", ".join(told[:12]) + (f" and {len(told) - 12} more events" if len(told) > 12 else "")


def beside(life: Life, world: World) -> str:
    """What became of the worker that had it last, and was meant for another invocation; "" where nothing did."""
    hits = _hits(life, world)
    told = [f"{_met(each)} at {since(life, each.at_ns)}" for each in hits]
    return f"its worker {hits[0].worker} {', '.join(told[:4])}" if told else ""


def struck_beside(life: Life, world: World) -> str:
    """The fault that struck the worker that had it last, or "a stop" of it; "" where nothing did."""
    hits = _hits(life, world)
    landed = [each for each in hits if each.kind is Kind.FAULT_LANDED and each.invocation != life.id]
    faults = [str(each.detail["fault"]) for each in landed]
    return next(iter(faults), "a stop" if hits else "")


def _hits(life: Life, world: World) -> list[Event]:
    """Faults and stops of the worker that had it last, from then on."""
    begun = [(each.at_ns, each.worker) for each in life.deliveries]
    at_ns, worker = max(begun + [(each.started_at, each.worker) for each in life.attempts], default=(0, ""))
    hits = [each for each in (*world.landed, *world.stopping) if each.worker == worker and each.at_ns >= at_ns]
    return sorted(hits, key=lambda each: each.at_ns) if worker else []


def _met(event: Event) -> str:
    return f"was struck by {event.detail['fault']}" if event.kind is Kind.FAULT_LANDED else "began to stop"


def names(lives: Iterable[Life], most: int = 3) -> str:
    return listed([short(life) for life in lives], most)


def published(life: Life) -> bool:
    return life.publish is Kind.PUBLISHED
