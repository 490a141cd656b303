"""Faults in any order that Hypothesis thinks of, on an app that keeps its promises: the checkers are the invariants."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from beds import Bed, settings
from hypothesis import HealthCheck, Phase, strategies
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from assay.bench import Bench, bench
from assay.checkers import Attempts, Delivery, Evidence, Reached
from assay.event import Point
from assay.fault import STRIKING, Needs
from assay.progress import Silent
from assay.trial import Trial

NOT_HERE = {Needs.DATA, Needs.RESULTS, Needs.MEMORY, Needs.VISIBILITY}  # what a trial has not on every broker
POINTS = {
    name: [str(point) for point in fault.points]
    for name, fault in STRIKING.items()
    if name != "SIGQUIT" and NOT_HERE.isdisjoint(fault.needs)
}
STRIKES = strategies.sampled_from(sorted(POINTS)).flatmap(
    lambda name: strategies.tuples(strategies.just(name), strategies.sampled_from(POINTS[name]))
)
MOST_WAITING = 6


class Reliability(RuleBasedStateMachine):
    """A worker, work, and faults that strike the one it runs; a worker that is gone is started again."""

    bench: Bench

    @initialize()
    def begin(self) -> None:
        self.stack = ExitStack()
        folder = self.stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-"))
        self.trial = self.stack.enter_context(Trial.on(self.bench, Path(folder) / "run", concurrency=1))
        self.struck = self.waiting = 0
        self.trial.start_worker()

    @precondition(lambda self: self.waiting < MOST_WAITING)
    @rule(number=strategies.integers(1, 3))
    def publish(self, number: int) -> None:
        self.waiting += number
        self.trial.publish_many([("twin.work", None)] * number)

    @rule(strike=STRIKES)
    def strike(self, strike: tuple[str, str]) -> None:
        """A fault strikes an invocation where it is held; what was reserved in its worker is hit too."""
        name, point = strike
        self.drain()
        self.trial.strike(self.trial.send("twin.work", hold=Point(point)), name, point, lasts_s=0.2)
        self.struck += 1
        self.drain()

    @rule()
    def drain(self) -> None:
        """Nothing stays open, whatever came before."""
        self.trial.recover()
        assert self.trial.settle(), "something is still open"
        self.waiting = 0

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            with self.stack:
                self.drain()
                if self.trial.invocations:
                    checkers = [Delivery(contract="at_least_once"), Reached(), Attempts(least=1)]
                    evidence = Evidence(landed=self.struck, in_flight=False)
                    self.trial.check(*checkers, evidence)


@pytest.mark.parametrize("flips", ["", "early+lost_is_no_retry+keeps_lost"])
def test_whatever_strikes_nothing_is_lost_unless_the_app_loses_it(flips: str, tmp_path: Path) -> None:
    bed = Bed(tuple(flips.split("+")) if flips else ())
    with bench(settings(bed, tmp_path / "run", jobs=1), Silent()) as it:
        machine = type("Machine", (Reliability,), {"bench": it})
        case = machine.TestCase
        case.settings = hypothesis_settings(
            max_examples=12,
            stateful_step_count=6,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        if flips:
            with pytest.raises(AssertionError, match=r"is lost|reached no worker"):
                case().runTest()
        else:
            case().runTest()
