"""What is flipped is in force wherever Celery has copied it to."""

from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery, Task

from assay import flipping
from assay.flip import Flip


@pytest.fixture(autouse=True)
def bind_as_before() -> Iterator[None]:
    bind = Task.__dict__["bind"]
    yield
    Task.bind = bind


def shop(
    *flips: Flip, settings: dict[str, Any] | None = None, late: dict[str, Any] | None = None, **options: Any
) -> Any:
    """A task of an app that is flipped; `late` are settings that come after its first task."""
    flipping.before_tasks(flips)
    app = Celery("shop", set_as_current=False, broker="memory://")
    app.conf.update(settings or {})

    @app.task(shared=False, name="shop.charge", **options)
    def charge() -> str:
        return "the body"

    assert charge.name
    app.conf.update(late or {})
    app.finalize(auto=True)
    flipping.settings(app, flips)
    flipping.tasks(app, flips)
    return app.tasks["shop.charge"]


def test_given_a_setting_that_tasks_copy_then_they_have_the_flipped_one() -> None:
    task = shop(Flip("task_acks_late", False), settings={"task_acks_late": True})
    assert (task.acks_late, task.app.conf.task_acks_late) == (False, False)


def test_given_a_setting_that_comes_later_then_the_flipped_one_wins_and_entries_go_into_what_was_given() -> None:
    routes = {"shop.other": {"queue": "other"}}
    flips = (Flip("task_time_limit", None), Flip("task_routes", entries={"shop.charge": {"queue": "default"}}))
    task = shop(*flips, late={"task_time_limit": 60, "task_routes": routes})
    assert task.app.conf.task_time_limit is None
    assert task.app.conf.task_routes == {**routes, "shop.charge": {"queue": "default"}}


@pytest.mark.parametrize(
    "given", [[{"shop.*": {"queue": "own"}}], ({"shop.*": {"queue": "own"}},), "shop.routes.Router"]
)
def test_given_routes_of_another_form_then_the_flipped_one_comes_first(given: Any) -> None:
    flip = Flip("task_routes", entries={"shop.charge": {"queue": "default"}})
    routes = shop(flip, settings={"task_routes": given}).app.conf.task_routes
    assert routes[0] == {"shop.charge": {"queue": "default"}}
    assert routes[1:] == list(given if isinstance(given, list | tuple) else [given])


def test_given_retries_that_are_flipped_off_then_nothing_wraps_the_body_any_more() -> None:
    task = shop(Flip("autoretry_for", [], task="shop.charge"), autoretry_for=(OSError,))
    assert not hasattr(task, "_orig_run"), "or a hollow body would be put where nobody calls it"
    assert task.run() == "the body"


def test_given_an_option_of_retries_then_the_wrapper_is_made_anew_with_it() -> None:
    flips = (Flip("retry_backoff", False, task="shop.charge"), Flip("max_retries", 0, task="shop.charge"))
    task = shop(*flips, autoretry_for=(OSError,), retry_backoff=4, retry_kwargs={"max_retries": 7})
    names, cells = task.run.__code__.co_freevars, task.run.__closure__
    waits = {name: cell.cell_contents for name, cell in zip(names, cells, strict=True)}
    assert waits["retry_backoff"] == 0
    assert waits["retry_kwargs"] == {"max_retries": 0}


def test_given_a_hook_then_it_is_celerys_own_for_that_task_alone() -> None:
    class Counting(Task):  # type: ignore[misc]
        def before_start(self, *args: Any) -> None:
            raise AssertionError("it counts")

    task = shop(Flip("before_start", task="shop.charge"), base=Counting)
    task.before_start("id", (), {})
    with pytest.raises(AssertionError):
        Counting().before_start("id", (), {})
