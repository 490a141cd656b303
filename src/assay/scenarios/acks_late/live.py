"""Real bodies: what becomes of the work, and of what it has started, when its process dies or is told to stop."""

from assay.checkers import Attempts, Delivery, Evidence, Leftovers, Revoked
from assay.event import Kind
from assay.scaling import Target
from assay.scenario import scenario
from assay.stage import Stage

LIVE = ("live",)


def has_slow_call(target: Target) -> bool:
    return target.slow


@scenario("acks_late", fault="none", bodies=LIVE)
def live_call(stage: Stage) -> None:
    """The real body is called as configured and ends well."""
    stage.claims("live", "the real body, called as configured, ends well")
    stage.worker()
    invocation = stage.publish()
    stage.settle()
    stage.check(
        Delivery(contract="effectively_once", ids=[invocation]), Attempts(ids=[invocation], most=1), Leftovers()
    )


@scenario("acks_late", fault="SIGKILL child", when=has_slow_call, bodies=LIVE, weight_s=6.0)
def live_child_killed(stage: Stage) -> None:
    """The child is killed while the real body works: the work is done again, and nothing of the first goes on."""
    contract = stage.contract()
    stage.worker()
    invocation, effect = stage.publish_slow()
    stage.cluster.kill_pid(stage.wait_working(invocation, effect), invocation)
    stage.settle()
    stage.check(Delivery(contract=contract.delivery, ids=[invocation]), Leftovers(), Evidence(landed=1))


@scenario("acks_late", fault="SIGKILL main", when=has_slow_call, bodies=LIVE, weight_s=4.0)
def live_main_killed(stage: Stage) -> None:
    """The main process is killed while the real body works."""
    contract = stage.contract(child_lost=False)
    worker = stage.worker()
    invocation, effect = stage.publish_slow()
    stage.wait_working(invocation, effect)
    stage.cluster.kill_worker(worker)
    stage.replacement()
    stage.settle()
    stage.check(Delivery(contract=contract.delivery, ids=[invocation]), Leftovers(), Evidence(landed=1))


@scenario("acks_late", fault="revoke", when=has_slow_call, bodies=LIVE, weight_s=4.0)
def live_revoked(stage: Stage) -> None:
    """revoke(terminate=True) while the real body works: it stops, with what it started, and does not run again."""
    stage.claims("revoke", "a revoked task stops, with all that it has started, and does not run again")
    stage.worker()
    invocation, effect = stage.publish_slow()
    stage.wait_working(invocation, effect)
    stage.cluster.record(Kind.FAULT_INJECTED, invocation, fault="revoke")
    stage.cluster.client.ask("revoke", id=invocation, terminate=True)
    if stage.cluster.wait(lambda: any(event.kind == Kind.REVOKED for event in stage.cluster.seen), timeout_s=10.0):
        stage.cluster.record(Kind.FAULT_LANDED, invocation, fault="revoke", signal="SIGTERM")
    stage.settle()
    # that it was at work is certain since wait_working; its end may be recorded before the revocation is
    evidence = Evidence(landed=1, in_flight=False)
    stage.check(Revoked(ids=[invocation]), Attempts(ids=[invocation], most=1), Leftovers(), evidence)
