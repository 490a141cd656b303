"""What a fault does where it cannot land: it says so, and leaves nothing broken."""

import contextlib
from types import SimpleNamespace
from typing import Any

import pytest

from assay import landing
from assay.errors import HarnessError
from assay.faults import paused_past_visibility, rolling_restart, scaled_to_none
from assay.landing import Landing

WORKER: Any = SimpleNamespace(name="w1", pid=4711)
HELD: Any = SimpleNamespace(held=SimpleNamespace(invocation="a"), release=lambda: None)


class Nobody(Landing):
    """A cluster in which no worker serves."""

    def __init__(self) -> None:
        self.recorded: list[str] = []
        self.record = lambda kind, *_, **__: self.recorded.append(kind)
        self.redirection: Any = SimpleNamespace(broker_url="redis://127.0.0.1:6379/0")

    def serving(self) -> list[Any]:
        return []


@pytest.mark.parametrize("fault", [rolling_restart, scaled_to_none])
def test_given_no_worker_that_serves_then_nothing_has_landed_on_all_of_them(fault: Any) -> None:
    cluster: Any = Nobody()
    with pytest.raises(HarnessError, match="no worker was serving"):
        fault.inject(cluster, WORKER, HELD)
    assert cluster.recorded == ["fault_injected"]


def test_given_one_that_is_to_take_over_and_does_not_start_then_the_other_one_goes_on() -> None:
    cluster: Any = Nobody()
    cluster.takes_over_s = lambda worker: 3660.0

    def replace(*_: Any, **__: Any) -> None:
        raise HarnessError("waited 30 s for worker w2 ready, which was not recorded")

    cluster.replace = replace
    told: list[str] = []
    worker: Any = SimpleNamespace(
        name="w1", pid=1, pause=lambda: told.append("pause"), resume=lambda: told.append("resume")
    )
    with pytest.raises(HarnessError, match="w2 ready"):
        paused_past_visibility.inject(cluster, worker, HELD)
    assert told == ["pause", "resume"]


@pytest.mark.parametrize(
    ("breaks", "told", "landed"),
    [
        ("", ["keep", "pause", "kill", "noticed", "restart"], True),
        ("pause", ["keep", "pause", "resume"], False),
        ("kill", ["keep", "pause", "kill", "resume"], False),
        ("noticed", ["keep", "pause", "kill", "noticed", "restart"], False),
    ],
)
def test_given_a_broker_that_is_to_come_back_with_its_data_then_it_serves_wherever_the_fault_breaks_off(
    monkeypatch: pytest.MonkeyPatch, breaks: str, told: list[str], landed: bool
) -> None:
    cluster: Any = Nobody()
    done: list[str] = []

    def act(name: str) -> Any:
        def acts(*_: Any, **__: Any) -> None:
            done.append(name)
            if name == breaks:
                raise HarnessError(f"{name} did not work")

        return acts

    monkeypatch.setattr(landing, "OwnBroker", SimpleNamespace)
    names = {"keep_data": "keep", "pause": "pause", "kill": "kill", "resume": "resume", "restart": "restart"}
    cluster.broker = SimpleNamespace(pid=1, **{method: act(name) for method, name in names.items()})
    cluster.wait_noticed = act("noticed")
    worker: Any = SimpleNamespace(name="w1", pid=2, must_live=lambda: None)
    with pytest.raises(HarnessError) if breaks else contextlib.nullcontext():
        cluster.restart_broker_with_data(worker)
    assert done == told
    assert cluster.recorded == ["fault_injected", "fault_landed"][: 1 + landed]


@pytest.mark.parametrize("hears", [True, False])
def test_given_a_worker_that_asks_for_nothing_then_the_broker_is_made_to_send_it_something(
    monkeypatch: pytest.MonkeyPatch, hears: bool
) -> None:
    cluster: Any = Nobody()
    asked: list[str] = []

    class Hole:
        connections = (1,)

        def __init__(self, *_: Any) -> None: ...

        def undelivered(self) -> int:
            return int(bool(asked) and hears)

        def heal(self) -> None: ...

    monkeypatch.setattr(landing, "BlackHole", Hole)
    monkeypatch.setattr(landing, "OwnBroker", SimpleNamespace)
    monkeypatch.setattr(Nobody, "client", SimpleNamespace(ask=lambda what, **_: asked.append(what)))
    monkeypatch.setattr(Nobody, "standing_still", lambda *_: contextlib.nullcontext())
    cluster.broker = SimpleNamespace(pid=1)
    cluster.spoilt = []
    cluster.wait = lambda condition, timeout_s: condition()
    worker: Any = SimpleNamespace(name="w1", pid=1, must_live=lambda: None)
    if hears:
        cluster.swallow(worker)
    else:
        with pytest.raises(HarnessError, match="nobody sent anything"):
            cluster.swallow(worker)
    assert asked == ["control"]
    assert cluster.recorded == ["fault_injected", "fault_landed"][: 1 + hears]
