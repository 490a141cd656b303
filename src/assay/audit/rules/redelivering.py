"""When a broker gives a message back though its worker lives, or long after its worker is gone."""

from collections.abc import Iterator

from assay.audit.finding import Change, Kind
from assay.audit.rule import Found, View, names, rule
from assay.redirection import AMQP
from assay.scaling import running_s, waiting_s

SWEEP_S = 30.0  # what is given back later than this is told
TRANSPORT = "broker_transport_options"


@rule(Kind.BROKEN)
def visible_again_too_soon(view: View) -> Iterator[Found]:
    """A visibility timeout below what a task may take: the broker gives its message to a second worker meanwhile."""
    subject = view.subject
    if not subject.on_redis and subject.broker_scheme != "sqs":
        return
    window = subject.visibility_timeout
    held = {task.name: (running_s(task), waiting_s(task)) for task in subject.tasks}
    tasks = [task for task in subject.tasks if sum(held[task.name]) >= window]
    if tasks:
        running, waiting = max((held[task.name] for task in tasks), key=sum)
        parts = [f"run for {running:g} s"] * bool(running) + [f"wait for a retry for {waiting:g} s"] * bool(waiting)
        yield Found(
            [TRANSPORT],
            f"{names(tasks)} may {' and '.join(parts)} with its message unacknowledged, and after {window:g} s the "
            "broker gives it to another worker, which runs it as well",
            f'set {TRANSPORT}={{"visibility_timeout": ...}} above {running + waiting:g}, the same in every process',
            tasks=tasks,
            title=f"visibility_timeout={window:g}",
        )


@rule(Kind.RISK)
def given_back_late(view: View) -> Iterator[Found]:
    """kombu looks for unacknowledged messages every interval x throttle: by default that adds 100 s."""
    subject = view.subject
    late = any(task.acks_late for task in subject.tasks)
    if subject.on_redis and late and view.written.throttles and subject.restore_period_s > SWEEP_S:
        yield Found(
            [TRANSPORT],
            f"what a lost worker had comes back up to {subject.restore_period_s:g} s after its visibility timeout: so "
            "often does kombu look",
            f'set {TRANSPORT}={{"unacked_restore_throttle": 1, ...}}',
            title=f"unacked_restore_interval x throttle = {subject.restore_period_s:g} s",
        )


@rule(Kind.RISK)
def deaf_on_a_dead_connection(view: View) -> Iterator[Found]:
    """Redis without keepalive: a worker takes a connection on which nothing arrives any more for a quiet one."""
    if view.subject.on_redis and not view.subject.silence:
        yield Found(
            [TRANSPORT],
            "a connection that a firewall has forgotten is taken for a quiet one, for about a quarter of an hour or "
            "for ever, by the release of kombu",
            f'in {TRANSPORT} set "socket_keepalive": True and "socket_keepalive_options"',
            title="no keepalive on the broker's connections",
        )


@rule(Kind.RISK)
def no_confirms(view: View) -> Iterator[Found]:
    """AMQP without publisher confirms: delay() returns before the broker has the message."""
    if view.subject.broker_scheme in AMQP and not view.written.confirms:
        yield Found(
            [TRANSPORT],
            "delay() returns before RabbitMQ has the message: what is under way when it dies is lost, and nobody knows",
            f'set {TRANSPORT}={{"confirm_publish": True}}',
            title="confirm_publish=False",
        )


@rule(Kind.RISK)
def lost_connection_and_running_tasks(view: View) -> Iterator[Found]:
    """worker_cancel_long_running_tasks_on_connection_loss, which is right on RabbitMQ and wrong on Redis."""
    key = "worker_cancel_long_running_tasks_on_connection_loss"
    late = [task for task in view.subject.tasks if task.acks_late]
    on = bool(view.written.values.get(key))
    if late and view.subject.broker_scheme in AMQP and not on:
        yield Found(
            [key],
            f"when the connection is lost RabbitMQ gives back the messages of {names(late)}: the second run is beside "
            "the first",
            f"set {key}=True",
            [Change(key, "True")],
            late,
            title=f"{key}=False",
        )
    elif late and view.subject.on_redis and on:
        yield Found(
            [key],
            f"when Redis is away, {names(late, 'is', 'are')} stopped, and given back after the visibility timeout",
            f"leave {key} at False",
            [Change(key)],
            late,
        )


@rule(Kind.BROKEN)
def leaves_with_its_connection(view: View) -> Iterator[Found]:
    """broker_connection_retry=False: a worker that loses its connection ends."""
    if view.written.values.get("broker_connection_retry") is False:
        yield Found(
            ["broker_connection_retry"],
            "a worker that loses its connection ends, with all that runs in it",
            "leave broker_connection_retry at True",
            [Change("broker_connection_retry")],
        )


@rule(Kind.RISK)
def retries_at_start(view: View) -> Iterator[Found]:
    """broker_connection_retry=False will be no word about the start any more from Celery 6 on."""
    values = view.written.values
    given = view.subject.setting("broker_connection_retry_on_startup")
    if values.get("broker_connection_retry") is False and given is None:
        # source: celery/worker/consumer/consumer.py, Consumer.connection_for_read
        yield Found(
            ["broker_connection_retry"],
            "from Celery 6 on it says nothing of a worker's start, which will wait for a broker that is away",
            "set broker_connection_retry_on_startup=False as well",
            [Change("broker_connection_retry_on_startup", "False")],
        )


@rule(Kind.RISK)
def acts_on_sigquit_alone(view: View) -> Iterator[Found]:
    """worker_soft_shutdown_timeout does nothing for the SIGTERM that a container or systemd sends."""
    key = "worker_soft_shutdown_timeout"
    if view.on(key) and "REMAP_SIGTERM" not in view.written.environment:
        yield Found(
            [key],
            "it is for SIGQUIT: the SIGTERM of systemd, Docker and Kubernetes waits for running tasks without it",
            "start the workers with REMAP_SIGTERM=SIGQUIT in the environment, and a grace period above this timeout",
        )
