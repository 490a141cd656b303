"""Scenario: one situation with its workload, its fault and its checkers. The suites are the folders of `scenarios/`.

@scenario("acks_late", fault="SIGKILL child", when=lambda target: ...)
def child_killed(stage: Stage) -> None:
    \"\"\"A pool child is killed in the middle of the body.\"\"\"
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.fault import FAULTS
from assay.scaling import Scaling, Target, countdowns

if TYPE_CHECKING:
    from assay.stage import Stage

PREFORK = ("prefork",)
EVERY_POOL = ("prefork", "solo", "threads")
SUITES = ("retries", "acks_late", "time_limits", "recycling", "routing", "reconnect", "shutdown", "results", "canvas")


@dataclass(frozen=True)
class Scenario:
    """`act` drives a stage and tells it what to check; `when` says whether it means anything for a target."""

    suite: str
    name: str
    fault: str
    doc: str
    act: Callable[["Stage"], None]
    when: Callable[[Target], bool]
    pools: tuple[str, ...]
    weight_s: float = 1.0  # about how long it waits; the longest start first
    scale: Callable[[Target], Scaling] = countdowns
    bodies: tuple[str, ...] = ("hollow",)  # which kinds of body it can be run with
    own_broker: bool = False  # it does to its broker what the other scenarios must not feel
    own_results: bool = False  # and this to the server that holds the results

    @property
    def full_name(self) -> str:
        return f"{self.suite}.{self.name}"

    def applies(self, target: Target) -> bool:
        return not self.barred(target) and self.when(target)

    def barred(self, target: Target) -> str:
        """Why it cannot be run this way, whatever the task and the settings are; "" where it can."""
        if target.bodies not in self.bodies:
            return f"not with {target.bodies} bodies"
        if target.pool not in self.pools:
            return f"not with pool {target.pool}"
        if self.own_broker and not target.own_broker:
            return "the broker is not the run's own"
        if self.own_results and not target.breakable_results:
            return "no results are stored where the run could take them away"
        return ""


def always(target: Target) -> bool:
    """For a scenario that means something for every task."""
    return True


def sigterm_is_warm(target: Target) -> bool:
    """For a scenario about the warm shutdown: by REMAP_SIGTERM=SIGQUIT there is none."""
    return not target.sigterm_quits


_registry: dict[str, Scenario] = {}


def scenario(
    suite: str,
    *,
    fault: str,
    when: Callable[[Target], bool] = always,
    pools: tuple[str, ...] = PREFORK,
    name: str = "",
    doc: str = "",
    weight_s: float = 1.0,
    scale: Callable[[Target], Scaling] = countdowns,
    bodies: tuple[str, ...] = ("hollow",),
    own_broker: bool = False,
    own_results: bool = False,
) -> Callable[[Callable[["Stage"], None]], Callable[["Stage"], None]]:
    """Register a scenario. Its name is the function's, its line in `assay list` the docstring's first."""

    def register(act: Callable[["Stage"], None]) -> Callable[["Stage"], None]:
        if fault not in FAULTS:
            raise KeyError(f"{fault} is no fault: name it in fault.py")
        line = doc or (act.__doc__ or "").strip().splitlines()[0]
        own = own_broker, own_results
        made = Scenario(suite, name or act.__name__, fault, line, act, when, pools, weight_s, scale, bodies, *own)
        _registry[made.full_name] = made
        return act

    return register


def scenarios() -> dict[str, Scenario]:
    """All of them by full name, suite after suite in the order of SUITES."""
    for suite in SUITES:
        package = importlib.import_module(f"assay.scenarios.{suite}")
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"assay.scenarios.{suite}.{module.name}")
    return dict(sorted(_registry.items(), key=lambda item: SUITES.index(item[1].suite)))


def registry() -> dict[str, str]:
    """{full name: one line about it}, for `assay list`."""
    return {name: each.doc for name, each in scenarios().items()}
