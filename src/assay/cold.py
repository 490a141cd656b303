"""`--cold`: the real `celery worker` command, in an interpreter of its own, with its default flags.

`python -m assay.cold BOOT.json APP WORKDIR`: the app is loaded as the zygote loads it, then Celery's own command line
runs with it.
"""

import sys
from pathlib import Path

import msgspec

from assay import loading, role
from assay.boot import Boot


def arguments(boot: Boot) -> list[str]:
    """What a person would type after `celery -A app`."""
    argv = ["worker", "--loglevel=INFO", "-P", boot.pool, "-c", str(boot.concurrency), "-n", f"{boot.name}@assay"]
    for name, value in boot.options.items():
        if value is not False:  # a flag that is not given
            argv += [f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])]
    return argv + (["-Q", ",".join(boot.queues)] if boot.queues else [])


def main() -> None:
    boot = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Boot)
    role.loaded = loading.load(sys.argv[2], sys.argv[3])
    role.prepare(boot, role.loaded)
    from celery.bin.celery import main as celery

    sys.argv = ["celery", "-A", "assay.role:loaded", *arguments(boot)]
    celery()


if __name__ == "__main__":
    main()
