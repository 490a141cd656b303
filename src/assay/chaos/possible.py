"""Which faults can strike this app on this broker and pool, and why the others cannot."""

from collections.abc import Iterable

from assay import memory_limit
from assay.bench import Bench
from assay.brokers import DURABLE, speaks_amqp
from assay.brokers import NAMES as BROKERS
from assay.chaos.script import ChaosScript
from assay.elsewhere import table
from assay.errors import UsageError
from assay.fault import STRIKING, Needs
from assay.scaling import Target
from assay.settings import Settings

GIVES_BACK = "this broker gives back at once what a dead worker had"


def possible(it: Bench, faults: Iterable[str]) -> list[str]:
    """Those of these that nothing stands in the way of."""
    return [
        fault
        for fault in faults
        if not out_of_reach(it.settings, fault) and not any(obstacle(it, need) for need in STRIKING[fault].needs)
    ]


def must_be_possible(it: Bench, script: ChaosScript) -> None:
    """Raises UsageError where a fault of the script cannot strike."""
    for fault in dict.fromkeys(strike.fault for strike in script.faults):
        _must_be_in_reach(it.settings, fault)
        for need in STRIKING[fault].needs:
            if why := obstacle(it, need):
                raise UsageError(f"{fault} needs {need}: {why}")


def must_not_be_barred(settings: Settings, faults: Iterable[str]) -> None:
    """Raises UsageError where one of these cannot strike whatever the app is: before anything is started."""
    for fault in faults:
        _must_be_in_reach(settings, fault)
        for need in STRIKING[fault].needs:
            if why := barred(settings, need):
                raise UsageError(f"{fault} needs {need}: {why}")


def out_of_reach(settings: Settings, fault: str) -> str:
    """Why it cannot strike workers that others run; "" where it can, or where they are the run's own."""
    return table.out_of_reach(settings.workers, fault) if settings.workers else ""


def _must_be_in_reach(settings: Settings, fault: str) -> None:
    if why := out_of_reach(settings, fault):
        raise UsageError(f"{fault} is not available: {why}")


def obstacle(it: Bench, need: Needs) -> str:
    """Why this is not to be had here; "" where it is."""
    match need:
        case Needs.RESULTS if not breakable_results(it):
            return f"the result backend is {it.subject.result_backend}"
        case Needs.VISIBILITY if not it.subject.on_redis:
            return GIVES_BACK
        case Needs.CHILDREN if it.pool != "prefork":
            return f"the pool is {it.pool}"
    return barred(it.settings, need)


def barred(settings: Settings, need: Needs) -> str:
    """The same, as far as the settings alone tell."""
    match need:
        case Needs.DATA | Needs.BROKER if settings.broker not in BROKERS:
            return "this broker is somebody else's"
        case Needs.DATA if settings.broker not in DURABLE:
            return "the embedded broker has none; use --broker redis or rabbitmq"
        case Needs.VISIBILITY if speaks_amqp(settings.broker):
            return GIVES_BACK
        case Needs.CHILDREN if settings.pool not in ("", "prefork"):
            return f"the pool is {settings.pool}"
        case Needs.MEMORY:
            return memory_limit.obstacle()
    return ""


def breakable_results(it: Bench) -> str:
    """What holds the results of the app's tasks, and can be taken away: `server`, `database`, or "" for nothing."""
    found = (Target(it.subject, task, it.pool, broker=it.broker.name).breakable_results for task in it.subject.tasks)
    return next(filter(None, found), "")
