"""What a run does otherwise than the team's workers do, a sentence each: beside what the app itself is told to do."""

from collections.abc import Iterable

from assay.brokers import speaks_amqp
from assay.counted import counted
from assay.redirection import AMQP
from assay.scaling import POOL_CHECK, Scaling, told
from assay.settings import Settings
from assay.subject import Subject


def changed(subject: Subject, settings: Settings, pool: str) -> list[str]:
    """Only what differs for this app with these settings; `pool` is that of the run's workers."""
    said = [] if pool == "solo" else [_slots(subject, settings)]  # solo has one, whatever it is told
    if not settings.cold:
        said.append(
            "workers run without mingle, gossip and heartbeat, except in suite reconnect and in "
            "results.revoked_then_restarted_in_turn; --cold runs them with all three everywhere"
        )
    return said + other_kind(subject, settings.broker)


def _slots(subject: Subject, settings: Settings) -> str:
    configured = subject.setting("worker_concurrency")
    rather = f" rather than {configured}" if configured else ""
    return (
        f"workers have {counted(settings.concurrency, 'slot')}{rather}, or one to four where a scenario needs so many"
    )


def other_kind(subject: Subject, broker: str) -> list[str]:
    """Where the run's broker is of another kind than the app's, and so promises something else."""
    on_amqp = speaks_amqp(broker)
    if subject.broker_scheme in AMQP and not on_amqp:
        return [
            "the app's broker is AMQP, which gives a dead worker's messages back at once; "
            "the run's is Redis, which waits for the visibility timeout: --broker rabbitmq is of the app's kind"
        ]
    if subject.on_redis and on_amqp:
        return [
            "the app's broker is Redis, which gives a dead worker's messages back after the visibility timeout; the "
            "run's is RabbitMQ, which does at once, and for which broker_transport_options mean nothing"
        ]
    if subject.broker_scheme not in AMQP and not subject.on_redis:
        return [
            f"the app's broker is {subject.broker_scheme}, and the run's {'RabbitMQ' if on_amqp else 'Redis'}: what is "
            "given back after a worker's death, and when, may be otherwise there"
        ]
    return []


def scaled(scalings: Iterable[Scaling], subject: Subject, pool: str, broker: str) -> list[str]:
    """What takes less time than in production, each thing once."""
    said = {*told(scalings), *([POOL_CHECK] if pool == "prefork" else [])}
    return sorted(said if speaks_amqp(broker) else {*said, visibility(subject)})


def visibility(subject: Subject) -> str:
    """How visibility timeouts are reached: they are not waited for."""
    return (
        f"visibility_timeout of {subject.visibility_timeout:g} s: not waited for, kombu's clock is past it "
        "in the worker that takes over from a killed one; "
        f"add up to {subject.restore_period_s:g} s to that recovery where a running worker has to find the message"
    )
