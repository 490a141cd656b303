"""The command `assay` itself: what it is, and its version."""

import click

from assay.exits import Commands


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="celery-assay", prog_name="assay", message="%(prog)s %(version)s")
def main() -> None:
    """Prove what a Celery configuration does when workers die.

    Exit codes: 0 every promise held, 1 one was broken, 2 the input could not be used, 3 something could not be judged,
    4 the harness broke.
    """
