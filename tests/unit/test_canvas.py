"""A canvas as data: what it is made of, and the signature that Celery makes of it."""

from collections.abc import Iterator

import msgspec
import pytest
from celery import Celery
from celery.canvas import Signature

from assay.canvas import Canvas, Chain, Chord, Group, Part, after, bodies, ends, parts
from assay.script import Act, Script
from assay.signatures import signature

A, B, C, D, E = (Part("shop.charge", letter) for letter in "abcde")
LISTENED = Part("shop.charge", "f", ["order"], {"amount": 7}, link=(A, B), link_error=(C,))
NESTED = Chain((A, Chord((Chain((B, C)), D), E), LISTENED))


@pytest.fixture
def app() -> Iterator[Celery]:
    app = Celery("shop", broker="memory://", backend="cache+memory://", set_as_current=False)

    @app.task(name="shop.charge", shared=False)
    def charge() -> None:
        return None

    app.finalize()
    yield app
    app.close()


def names(found: list[Part]) -> str:
    return "".join(each.id for each in found)


@pytest.mark.parametrize(
    ("canvas", "all_", "last"),
    [
        (A, "a", ["a"]),
        (Chain((A, B, C)), "abc", ["c"]),
        (Group((A, Chain((B, C)))), "abc", ["a", "c"]),
        (Chord((A, B), C), "abc", ["c"]),
        (Chain((A, Group((B, C)))), "abc", ["b", "c"]),
        (NESTED, "abcdef", ["f"]),
    ],
)
def test_its_parts_and_its_ends(canvas: Canvas, all_: str, last: list[str]) -> None:
    assert names(list(parts(canvas))) == all_
    assert ends(canvas) == last


@pytest.mark.parametrize(
    ("canvas", "part", "later"),
    [
        (A, A, ""),
        (Chain((A, B, C)), A, "bc"),
        (Chain((A, B, C)), C, ""),
        (Group((A, Chain((B, C)))), A, ""),
        (Group((A, Chain((B, C)))), B, "c"),
        (Chord((A, B), C), B, "c"),
        (Chord((A, B), C), C, ""),
        (NESTED, B, "cef"),
        (NESTED, D, "ef"),
        (NESTED, E, "f"),
        (NESTED, A, "bcdef"),
    ],
)
def test_what_comes_after_a_part_is_what_waits_for_it(canvas: Canvas, part: Part, later: str) -> None:
    assert sorted(names(after(canvas, part))) == sorted(later)


def test_it_survives_the_way_to_the_process_that_publishes_it_and_into_a_script() -> None:
    assert msgspec.convert(msgspec.to_builtins(NESTED), Canvas) == NESTED
    script = Script(acts=(Act(ends="replace", by=LISTENED),))
    assert msgspec.json.decode(msgspec.json.encode(script), type=Script) == script


def test_celery_keeps_the_ids_arguments_and_callbacks_that_are_given(app: Celery) -> None:
    made = signature(app, LISTENED)
    made.freeze()

    assert (made.id, made.args, made.kwargs, made.immutable) == ("f", ("order",), {"amount": 7}, True)
    assert [each.options["task_id"] for each in made.options["link"]] == ["a", "b"]
    assert [each.options["task_id"] for each in made.options["link_error"]] == ["c"]
    assert signature(app, Part("shop.charge")).id is None, "what replaces a task is given that task's id"


def ids(made: Signature) -> list[str]:
    """Of every task in it, in whatever order."""
    if made.task == "celery.chord":
        return [*(found for each in made.tasks for found in ids(each)), *ids(made.body)]
    if made.task in ("celery.chain", "celery.group"):
        return [found for each in made.tasks for found in ids(each)]
    return [str(made.options["task_id"])]


@pytest.mark.parametrize(
    ("canvas", "kind"),
    [
        (Chain((A, B)), "celery.chain"),
        (Group((A, B)), "celery.group"),
        (Chord((A, B), C), "celery.chord"),
        (Chain((Group((A, B)), C)), "celery.chord"),
        (NESTED, "celery.chain"),
    ],
)
def test_the_signature_is_what_a_user_writes(app: Celery, canvas: Canvas, kind: str) -> None:
    made = signature(app, canvas)

    assert made.task == kind
    assert sorted(ids(made)) == sorted(each.id for each in parts(canvas))


def test_given_chords_within_each_other_then_the_parts_of_their_bodies_are_known_and_no_others() -> None:
    body, inner = Part("t", "body"), Part("t", "inner")
    nested = Chain((Part("t", "first"), Chord((Chord((Part("t", "h"),), inner), Part("t", "g")), Chain((body,)))))
    assert [each.id for each in bodies(nested)] == ["body", "inner"]
