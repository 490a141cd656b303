"""The faults of a chaos run, one a file: `noop.py` is the skeleton. `fault.py` tells all faults in words."""

import importlib
import pkgutil

from assay.faults.strike import Fault, Heal, Strike

__all__ = ["Fault", "Heal", "Strike", "named", "registry"]


def registry() -> dict[str, Fault]:
    """By their names in `fault.py`, those that lose or interrupt work."""
    names = [each.name for each in pkgutil.iter_modules(__path__) if each.name not in ("strike", "noop")]
    faults = [importlib.import_module(f"assay.faults.{name}").FAULT for name in sorted(names)]
    return {fault.name: fault for fault in faults}


def named(slug: str) -> str:
    """A fault's name as a command line can take it: "SIGTERM, then SIGKILL" is sigterm-then-sigkill."""
    return "-".join("".join(c if c.isalnum() else " " for c in slug.lower()).split())
