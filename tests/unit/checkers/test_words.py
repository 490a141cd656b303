"""What is told of a life."""

from histories import acked, attempt, event, received, story

from assay.checkers.words import tale
from assay.event import Kind
from assay.fold import fold


def test_given_a_batch_recorded_after_its_messages_ran_then_times_count_from_when_each_was_asked_for() -> None:
    late = event(Kind.PUBLISHED, "a", pid=1, worker="", asked_at_ns=0)
    begun, *rest = attempt("a")
    lives, world = fold(story(received("a"), begun, late, *rest, acked("a")))
    assert tale(lives["a"], world).startswith("attempt 1 began at 0.020 s")
