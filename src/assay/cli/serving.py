"""`assay broker`."""

from typing import TYPE_CHECKING

import click

from assay.cli.given import need_linux
from assay.errors import UsageError

if TYPE_CHECKING:
    pass


@click.command()
@click.option(
    "--broker", "name", metavar="NAME", default="fakeredis", show_default=True, help="fakeredis, redis or rabbitmq."
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Default: a free one.")
def broker(name: str, port: int) -> int:
    """Serve a broker in the foreground until Ctrl-C and print its URL."""
    need_linux()
    from assay.brokers import NAMES as BROKERS
    from assay.selection import nearest

    if name not in BROKERS:
        raise UsageError(f"unknown broker {name}{nearest(name, BROKERS) or '; there are ' + ', '.join(BROKERS)}")
    from assay.broker import serve_foreground

    serve_foreground(name, port)
    return 0
