"""The smallest part of a list that still does what the whole does."""

from hypothesis import given
from hypothesis import strategies as st

from assay.chaos.ddmin import smallest


@given(st.integers(1, 60), st.data())
def test_given_a_cause_of_some_items_then_it_alone_is_left(number: int, data: st.DataObject) -> None:
    items = list(range(number))
    cause = data.draw(st.sets(st.sampled_from(items), min_size=1, max_size=4))
    assert smallest(items, lambda part: cause <= set(part)) == sorted(cause)


@given(st.integers(1, 40), st.integers(1, 10))
def test_given_that_any_few_will_do_then_no_more_are_left(number: int, few: int) -> None:
    few = min(few, number)
    assert len(smallest(range(number), lambda part: len(part) >= few)) == few


def test_nothing_is_asked_twice_and_fifty_faults_take_few_runs() -> None:
    asked: list[tuple[int, ...]] = []

    def does(part: list[int]) -> bool:
        asked.append(tuple(part))
        return {7, 31} <= set(part)

    assert smallest(range(50), does) == [7, 31]
    assert len(asked) == len(set(asked)) <= 50
