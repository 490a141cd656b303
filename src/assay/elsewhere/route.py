"""The way that a run's recorders send by: made on this side, and told as the other side reaches it."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assay.broker import Broker
from assay.brokers import external, sweeper
from assay.brokers.external import ExternalBroker, redact_url
from assay.elsewhere.by_folder import FolderHere
from assay.elsewhere.by_redis import RedisHere
from assay.elsewhere.channel import Here
from assay.elsewhere.table import Workers


def channel_of(workers: Workers, broker: Broker, folder: Path, spawn: Callable[..., Any]) -> tuple[Here, str, str]:
    """The harness's end of the channel, and place and prefix as the workers are told. Raises UsageError."""
    own = f"assay-{secrets.token_hex(6)}"
    if workers.recorder and "://" not in workers.recorder:
        place = Path(workers.recorder).resolve()
        return FolderHere(place, own), workers.recorder_there or str(place), own
    if workers.recorder:
        url = external.for_client(workers.recorder)
        there = external.for_client(workers.recorder_there or workers.recorder)
        prefix, shown = f"{own}:", redact_url(url)
        here = RedisHere(url, prefix, shown)
        sweeper.start(sweeper.Order(url, prefix), shown, folder / "recorder", spawn)
        return here, there, prefix
    assert isinstance(broker, ExternalBroker)
    prefix = f"{broker.key_prefix}recorder:"
    there = external.for_client(workers.broker_there or broker.url(0))
    return RedisHere(broker.client_url(0), prefix, broker.shown), there, prefix
