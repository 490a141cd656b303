"""A fault that cannot strike is refused; where the command line alone tells so, before anything is started."""

from pathlib import Path

import pytest

from assay.chaos.possible import must_not_be_barred
from assay.errors import UsageError
from assay.settings import Settings


@pytest.mark.parametrize(
    ("fault", "options", "told"),
    [
        ("broker restarted", {}, "over a restart: the embedded broker has none; use --broker redis or rabbitmq"),
        ("broker emptied", {"broker": "redis://x/0"}, "a broker of the run's own: this broker is somebody else's"),
        ("crash burst", {"pool": "solo"}, "crash burst needs a prefork pool: the pool is solo"),
        ("broker restarted", {"broker": "amqp://x"}, "over a restart: this broker is somebody else's"),
        (
            "clock ahead",
            {"broker": "amqps://x/y"},
            "which Redis has: this broker gives back at once what a dead worker",
        ),
        ("clock ahead", {"broker": "rabbitmq"}, "which Redis has: this broker gives back at once what a dead worker"),
    ],
)
def test_given_a_fault_that_cannot_strike_whatever_the_app_is_then_it_is_refused_at_once(
    fault: str, options: dict[str, str], told: str
) -> None:
    with pytest.raises(UsageError) as refused:
        must_not_be_barred(Settings(workdir=Path(), out=Path(), **options), ["SIGKILL child", fault])  # type: ignore[arg-type]
    assert told in str(refused.value)


def test_given_what_the_app_decides_then_nothing_is_refused_yet() -> None:
    must_not_be_barred(Settings(workdir=Path(), out=Path()), ["crash burst", "results away", "clock ahead"])
