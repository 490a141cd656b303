"""What the faults of a chaos run do, one a file: `noop.py` is the skeleton. `fault.py` tells all faults in words."""

import importlib
import pkgutil
from collections.abc import Callable

from assay.cluster import Cluster
from assay.gate import Waiting
from assay.worker import Worker

Heal = Callable[[], None]
#: acts on the cluster while the attempt is held, lets it go (or kills it), and returns what heals it later, if anything
Inject = Callable[[Cluster, Worker, Waiting], Heal | None]


def registry() -> dict[str, Inject]:
    """By their names in `fault.STRIKING`."""
    names = [each.name for each in pkgutil.iter_modules(__path__) if each.name != "noop"]
    modules = [importlib.import_module(f"assay.faults.{name}") for name in sorted(names)]
    return {module.FAULT: module.inject for module in modules}
