"""Whether a body calls its task's own retry(), and what is claimed of a task that does."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery, Task, current_task
from targets import target
from targets import task as made

from assay.inspection import describe
from assay.scenario import scenarios
from assay.subject import Subject

session = SimpleNamespace(retry=lambda: None)


class Base(Task):
    def give_it_another_go(self) -> None:
        raise self.retry(countdown=10)

    def carry_on(self) -> None: ...


app = Celery("shop", set_as_current=False, task_cls=Base)


def later(task: Task) -> None:
    raise task.retry(countdown=10)


def by_itself(self: Task) -> None:
    raise self.retry(countdown=10)


def in_an_inner_function(self: Task) -> None:
    def again() -> None:
        raise self.retry(countdown=10)

    again()


def by_a_helper(self: Task) -> None:
    later(self)


def by_a_method_of_the_base_class(self: Base) -> None:
    self.give_it_another_go()


def by_the_current_task(self: Task) -> None:
    raise current_task.retry(countdown=10)


def of_a_session(self: Task) -> None:
    session.retry()


def of_what_it_holds(self: Task) -> None:
    self.session.retry()


def not_at_all(self: Base) -> None:
    self.carry_on()


def with_body(body: Callable[..., Any], **options: Any) -> Subject:
    app = Celery("shop", set_as_current=False, task_cls=Base)
    app.task(**({"bind": True, "shared": False, "name": "shop.charge"} | options))(body)
    app.finalize(auto=True)
    return describe(app, "shop", ".")


HANDS = [by_itself, in_an_inner_function, by_a_helper, by_a_method_of_the_base_class, by_the_current_task]


@pytest.mark.parametrize("body", HANDS)
@pytest.mark.parametrize("options", [{}, {"autoretry_for": (OSError,)}])
def test_given_a_body_that_calls_its_tasks_retry_then_it_is_known_and_told(
    body: Callable[..., Any], options: dict[str, Any]
) -> None:
    subject = with_body(body, **options)
    assert subject.task("shop.charge").retries_itself
    assert [said for said in subject.warnings if said.startswith("shop.charge calls retry() by hand")]


@pytest.mark.parametrize("body", [of_a_session, of_what_it_holds, not_at_all])
def test_given_the_retry_of_something_else_then_it_is_not_the_tasks(body: Callable[..., Any]) -> None:
    subject = with_body(body)
    assert not subject.task("shop.charge").retries_itself
    assert not [said for said in subject.warnings if "by hand" in said]


class OfARequest:
    """As a web framework's proxy: outside of a request it raises."""

    def _get_current_object(self) -> None:
        raise RuntimeError("Working outside of application context.")


current_app = OfARequest()


def logs(self: Task) -> None:
    current_app.logger.info("done")


def test_given_a_proxy_that_has_nothing_to_give_then_it_is_not_asked() -> None:
    assert not with_body(logs).task("shop.charge").retries_itself


def of_its_argument(session: Any) -> None:
    session.retry()


def test_given_a_body_that_is_not_bound_then_none_of_its_arguments_is_the_task() -> None:
    assert not with_body(of_its_argument, bind=False).task("shop.charge").retries_itself


def test_given_a_retry_by_hand_then_neither_its_delay_nor_its_number_is_claimed() -> None:
    known = scenarios()
    by_hand, by_options = target(made(retries_itself=True)), target(made(autoretry_for=("OSError",)))
    for name in ("retries.spacing", "retries.gives_up"):
        assert not known[name].applies(by_hand)
        assert known[name].applies(by_options)
    assert known["retries.fails_then_succeeds"].applies(by_hand)
