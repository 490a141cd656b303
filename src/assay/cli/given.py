"""What was given on the command line, as a run uses it. All raise UsageError for what cannot be used."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.errors import UsageError
from assay.exits import say

if TYPE_CHECKING:
    from assay.selection import Selection
    from assay.settings import Settings


def settings_with_app(config: Path | None = None, live: bool | None = None, **options: Any) -> "Settings":
    from assay.settings import load

    options["bodies"] = "live" if live else None
    given = {key: value for key, value in options.items() if value not in (None, ())}
    settings = load(given, cwd=Path.cwd(), config=config)
    if not settings.app:
        raise UsageError('no app is named: say -A APP, as to Celery, or app = "APP" in assay.toml or [tool.assay]')
    return settings


def chosen(settings: "Settings", scenarios: tuple[str, ...]) -> "Selection":
    """What is to be run. What is misspelt is told before anything is started."""
    from assay.scenario import registry
    from assay.selection import Selection

    selection = Selection(suites=settings.suites, tasks=settings.tasks, scenarios=scenarios)
    selection.pick_scenarios(registry())
    return selection


def run_folder(given: Path) -> Path:
    """The run folder that is meant; which one it is is told where a folder of several was given."""
    from assay.reports.json import locate

    found = locate(given)
    if found.parent == given:
        say(f"assay: {found} is the newest run in {given}\n", error=True)
    return found


def need_linux() -> None:
    if sys.platform != "linux":
        missing = "/proc, pidfd and PR_SET_PDEATHSIG, by which it kills exactly and leaves nothing behind"
        raise UsageError(f"Assay runs on Linux; {sys.platform} lacks {missing}. A container or WSL 2 will do")


def need_writable(*files: Path | None) -> None:
    """Told before a run that takes a minute, rather than after it."""
    if [str(path) for path in files].count("-") > 1:
        raise UsageError("only one file can be stdout (-)")
    for path in files:
        if path is None or str(path) == "-":
            continue
        if not path.parent.is_dir():
            raise UsageError(f"{path} cannot be written: there is no folder {path.parent}")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise UsageError(f"{path} cannot be written: permission denied")
