"""Celery's signature of a canvas that is given as data: made in the client that publishes it, and where a body does."""

from typing import Any

from celery import Celery, chain, chord, group

from assay.canvas import Canvas, Chain, Chord, Group, Part


def signature(app: Celery, canvas: Canvas) -> Any:
    """As a user writes it: `chain(a.si(), b.si())`, `chord([a.si()], b.si())`; a group in a chain becomes a chord."""
    match canvas:
        case Part():
            return _part(app, canvas)
        case Chain(steps):
            return chain(*(signature(app, each) for each in steps))
        case Group(members):
            return group([signature(app, each) for each in members], app=app)
        case Chord(header, body):
            return chord([signature(app, each) for each in header], signature(app, body), app=app)


def _part(app: Celery, part: Part) -> Any:
    made = app.signature(part.task, args=tuple(part.args), kwargs=dict(part.kwargs), immutable=True)
    if part.id:
        made.set(task_id=part.id)
    for each in part.link:
        made.link(_part(app, each))
    for each in part.link_error:
        made.link_error(_part(app, each))
    return made
