"""How a worker is started: forked from the zygote (None: the cluster's default), or cold by the real command."""

import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from assay.boot import Boot
from assay.process import Process, Supervisor, inherited
from assay.settings import Settings


def starter(settings: Settings, supervisor: Supervisor) -> Callable[[Boot], Process] | None:
    if not settings.cold:
        return None

    def start(boot: Boot) -> Process:
        path = Path(boot.folder) / f"{boot.name}.boot.json"
        path.write_bytes(msgspec.json.encode(boot))
        argv = [sys.executable, "-m", "assay.cold", str(path), settings.app, str(settings.workdir)]
        env = {**inherited(), **settings.environment}
        return supervisor.spawn(argv, log=Path(boot.log), env=env, cwd=settings.workdir, name=boot.name)

    return start
