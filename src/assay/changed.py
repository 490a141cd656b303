"""What a run does otherwise than the team's workers do, a sentence each: beside what the app itself is told to do."""

from collections.abc import Iterable

from assay.scaling import POOL_CHECK, Scaling, told
from assay.settings import Settings
from assay.subject import Subject


def changed(subject: Subject, settings: Settings) -> list[str]:
    """Only what differs for this app with these settings."""
    configured = subject.setting("worker_concurrency")
    rather = f" rather than {configured}" if configured else ""
    said = [f"workers have {settings.concurrency} slots{rather}, or one to four where a scenario needs so many"]
    if not settings.cold:
        said.append(
            "workers run without mingle, gossip and heartbeat, except in suite reconnect and in "
            "results.revoked_then_restarted_in_turn; --cold runs them with all three everywhere"
        )
    return said


def scaled(scalings: Iterable[Scaling], subject: Subject, pool: str) -> list[str]:
    """What takes less time than in production, each thing once."""
    return sorted({*told(scalings), *([POOL_CHECK] if pool == "prefork" else []), visibility(subject)})


def visibility(subject: Subject) -> str:
    """How visibility timeouts are reached: they are not waited for."""
    return (
        f"visibility_timeout of {subject.visibility_timeout:g} s: not waited for, kombu's clock is past it "
        "in the worker that takes over from a killed one; "
        f"add up to {subject.restore_period_s:g} s to that recovery where a running worker has to find the message"
    )
