"""An app with planted bugs and how it is run; scenarios that are judged on the same bed run together, once."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from assay.errors import UsageError
from assay.progress import Silent
from assay.report import Report
from assay.run import run
from assay.selection import Selection
from assay.settings import Settings
from assay.verdict import Result

#: with commas between them; what is no matter of the broker is tried on the first
BROKERS = os.environ.get("ASSAY_TEST_BROKER", "fakeredis").split(",")
APPS = Path(__file__).with_name("apps")
SLOW = {"args": ["{effect}", 30.0]}


@dataclass(frozen=True)
class Bed:
    """`flips` are the bugs to plant in the app (none: as it should be), `demand` the delivery that is demanded."""

    flips: tuple[str, ...] = ()
    pool: str = "prefork"
    demand: str = "inferred"
    live: bool = False
    app: str = "twin:app"
    task: str = "work"

    def __str__(self) -> str:
        extras = [self.pool] * (self.pool != "prefork") + [self.demand] * (self.demand != "inferred")
        return " ".join(["+".join(self.flips) or "as it should be", *extras, *["live"] * self.live])


def settings(bed: Bed, out: Path, **changes: Any) -> Settings:
    calls = {"twin.work": {"slow": SLOW}} if bed.live else {}
    table: dict[str, Any] = {
        "app": bed.app,
        "workdir": str(APPS),
        "pool": bed.pool,
        "broker": BROKERS[0],
        "delivery": bed.demand,
        "bodies": "live" if bed.live else "hollow",
        "live": calls,
        "jobs": 4,
        "canary": False,  # it has a test of its own
        "env": {"ASSAY_TEST_FLIP": ",".join(bed.flips)},
        "out": str(out),
        **changes,
    }
    return msgspec.convert(table, Settings, dec_hook=lambda _, raw: Path(raw))


def judged(bed: Bed, scenarios: tuple[str, ...], **changes: Any) -> Mapping[str, Result]:
    """{full scenario name: its row}; a scenario that does not apply to this bed has none."""
    report = reported(bed, scenarios, **changes)
    return {f"{row.suite}.{row.scenario}": row for row in report.results} if report else {}


def reported(bed: Bed, scenarios: tuple[str, ...], **changes: Any) -> Report | None:
    """The whole report; None where no scenario applies."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        wanted = Selection(tasks=(bed.task,), scenarios=scenarios)
        try:
            return run(settings(bed, Path(folder) / "run", **changes), wanted, Silent())
        except UsageError as error:
            if "no selected scenario applies" in str(error):
                return None
            raise
