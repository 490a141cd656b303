"""Whether a worker that its command has made is the one that the run is judged for. Pure."""

from collections.abc import Mapping

from assay.counted import listed
from assay.errors import UsageError
from assay.event import Event

SHOWN = 3


def must_fit(ready: Event, mine: str, pool: str, needed: Mapping[str, str]) -> None:
    """Raises UsageError where its command makes another worker of it than the run is judged for.

    `needed` are queues, each with a task that goes there.
    """
    runs = {"thread": "threads"}.get(it := str(ready.detail.get("pool", "")), it)
    if runs != pool:
        raise UsageError(f"{mine} runs the pool {runs}, and {pool} is judged: say --pool {runs}")
    queues = [str(each) for each in ready.detail.get("queues", ())]
    for queue, task in needed.items():
        if queue not in queues:
            raise UsageError(
                f"{mine} consumes {listed(queues, SHOWN)}, and not {queue}, where {task} goes: give its command "
                f"-Q {','.join([*queues, queue])}"
            )
