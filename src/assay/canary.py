"""The canary: one configuration in each run is broken on purpose. A harness that does not see its loss is blind."""

from dataclasses import replace

import msgspec

from assay.checkers import Delivery, Evidence
from assay.event import Kind, Point
from assay.plan import Planned, Row
from assay.report import CANARY_LOST
from assay.scaling import Scaling, Target, countdowns
from assay.scenario import PREFORK, Scenario, always
from assay.stage import Stage
from assay.verdict import Outcome, Result, Verdict

FOLDER = "canary"


def acks_early(target: Target) -> Scaling:
    """Each task is acknowledged before its body, whatever the app is configured to."""
    scaling = countdowns(target)
    return replace(scaling, redirection=msgspec.structs.replace(scaling.redirection, early_acks=True))


def killed(stage: Stage) -> None:
    """The whole worker is killed in the middle of a body whose message is acknowledged: nobody can bring it back."""
    worker = stage.worker(concurrency=1)
    invocation = stage.publish(hold=Point.BODY_MIDDLE)
    held = stage.hold(invocation, Point.BODY_MIDDLE)
    stage.cluster.wait_event(
        lambda event: event.kind is Kind.ACKED and event.invocation == invocation,
        what="the early acknowledgement of the canary",
    )
    stage.cluster.kill_worker(worker, held, group=True)
    stage.replacement()
    stage.settle()
    stage.check(Delivery(contract="at_least_once", ids=[invocation]), Evidence(landed=1))


SCENARIO = Scenario(
    FOLDER, "acks_early", "SIGKILL group", killed.__doc__ or "", killed, always, PREFORK, scale=acks_early
)


def row(target: Target) -> Row:
    """A task of the app as canary. It is no row of the report: `told` says what becomes of it."""
    name = target.task.name
    planned = Planned(
        suite=FOLDER, scenario=SCENARIO.name, task=name, members=[name], fault=SCENARIO.fault, folder=FOLDER
    )
    return Row(SCENARIO, target, planned)


def told(result: Result) -> str:
    """CANARY_LOST, or why nothing that this run says is to be believed; "" where the app refuses its message."""
    if result.verdict is Verdict.VIOLATED and result.outcome is Outcome.LOST:
        return CANARY_LOST
    if any(judgement.checker == "published" for judgement in result.judgements):
        return ""  # it cannot be published, which rows of the run tell
    if result.verdict is Verdict.UNKNOWN:
        return f"not judged: {result.reason}"
    return (
        f"the harness is blind: {result.task}, acknowledged early and killed with its worker, was to be lost, and was "
        f"judged {result.verdict}: {result.reason}"
    )
