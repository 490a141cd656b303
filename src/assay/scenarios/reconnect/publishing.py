"""The broker dies with a message that it was sent and has not read: does the publisher know?"""

from assay.brokers import speaks_amqp
from assay.checkers import Delivery, Evidence
from assay.fault import BROKER_KILLED_UNREAD
from assay.redirection import AMQP
from assay.scaling import Target
from assay.scenario import scenario
from assay.script import Script
from assay.stage import Stage


def sends_unasked(target: Target) -> bool:
    """Whether a publisher may have done without an answer: Redis answers each of its commands."""
    return target.severable and speaks_amqp(target.broker) and target.subject.broker_scheme in AMQP


@scenario("reconnect", fault=BROKER_KILLED_UNREAD, when=sends_unasked, weight_s=12.0, own_broker=True)
def broker_killed_while_publishing(stage: Stage) -> None:
    """The broker is killed before it has read what was published: it runs, or its delay() has raised an error."""
    stage.claims(
        "publishing",
        "what delay() has returned for is not lost",
        'set broker_transport_options={"confirm_publish": True}: delay() waits for the word of RabbitMQ, and raises an '
        "error where none comes",
    )
    worker = stage.worker(concurrency=1)
    before = stage.publish()  # so that the publisher has declared all, and asks for nothing more
    stage.settle()
    cluster, task = stage.cluster, stage.task.name
    arguments = stage.arguments(task, slow=False)
    unread = cluster.kill_broker_unread(lambda: cluster.publish(task, Script(), **arguments))
    stage.cluster.wait_noticed(worker)
    if not stage.settle(enough=lambda: not worker.alive()) and not worker.alive():
        stage.replacement()  # a worker that gives up is not what this is about
        stage.settle()
    stage.check(
        Delivery(contract="at_least_once", ids=[before]),
        Evidence(landed=1, in_flight=False),
    )
    if unread not in cluster.refused:
        stage.check(Delivery(contract="at_least_once", ids=[unread]))
