"""The command `assay`. It parses, calls run, check and report, and has no logic of its own."""

from assay.cli.against import against
from assay.cli.auditing import audit, blame, mutate
from assay.cli.chaos import chaos, replay, shrink
from assay.cli.comparing import baseline, compare, trend
from assay.cli.gating import gate
from assay.cli.group import main
from assay.cli.looking import check, list_, show
from assay.cli.paging import page
from assay.cli.running import run
from assay.cli.serving import broker

for command in (
    run,
    gate,
    chaos,
    replay,
    shrink,
    audit,
    mutate,
    blame,
    compare,
    baseline,
    trend,
    against,
    check,
    page,
    list_,
    show,
    broker,
):
    main.add_command(command)

__all__ = ["main"]
