"""The embedded broker and a real redis-server for one module of tests."""

import os
from collections.abc import Iterator

import pytest

from assay.broker import start
from assay.brokers.served import ServedBroker
from assay.errors import UsageError
from assay.process import Supervisor


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    with Supervisor() as it:
        yield it


@pytest.fixture(scope="module")
def both(supervisor: Supervisor) -> Iterator[tuple[ServedBroker, ServedBroker]]:
    """(embedded, real). Skips where there is no redis-server, except in CI."""
    brokers = []
    for name in ("fakeredis", "redis"):
        try:
            brokers.append(start(name, supervisor.folder / f"both-{name}", supervisor.spawn))
        except UsageError as missing:
            if os.environ.get("CI"):
                raise
            pytest.skip(str(missing))
    release = brokers[1].version()
    if int(release.partition(".")[0]) < 7:
        why = f"the embedded broker answers as Redis 7 does; {release} hands messages to dead clients itself"
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
    yield brokers[0], brokers[1]
    for broker in brokers:
        broker.stop()


@pytest.fixture(params=["fakeredis", "redis"])
def broker(request: pytest.FixtureRequest, both: tuple[ServedBroker, ServedBroker]) -> ServedBroker:
    """Each of them in turn, empty."""
    chosen = both[0] if request.param == "fakeredis" else both[1]
    chosen.client(0).flushall()
    return chosen
