"""What became of messages that should not have been sent?"""

from collections.abc import Mapping

import msgspec

from assay.checkers.words import chosen, short
from assay.event import Kind
from assay.life import Life, World
from assay.subject import Task
from assay.verdict import Judgement, Outcome, Verdict

NO_QUEUE = "QueueNotFound"
LIMITS = "ValueError: soft_time_limit must be less"
#: what Celery refuses because of the configuration; other errors are of the broker, or of how the harness publishes
BY_CELERY = (NO_QUEUE, LIMITS)


def remedy(error: str, task: Task) -> str:
    """For a message of the task that could not be published, as far as that is known from the error."""
    if error.startswith(NO_QUEUE):
        return "declare its queue in task_queues, or let task_create_missing_queues be True"
    soft, hard = task.soft_time_limit, task.time_limit
    if error.startswith(LIMITS) and soft and hard:
        return (
            f"Celery refuses a soft limit above the hard one: give {task.name} a soft_time_limit below its "
            f"time_limit={hard:g}, rather than {soft:g}, or a longer time_limit"
        )
    return f"mend what its delay() raises: {' '.join(error.split())}"


class Published(msgspec.Struct, frozen=True, tag="published"):
    """Each of these could be published."""

    ids: list[str]

    def forgets(self, life: Life) -> bool:
        return bool(self.ids)

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """One that Celery refused is violated: in production `delay()` raises the same. Other errors are unknown."""
        for life in chosen(lives, self.ids):
            if life.publish is Kind.PUBLISH_FAILED:
                said = f"{short(life)} could not be published: {life.refused}"
                by_celery = str(life.refused).startswith(BY_CELERY)
                return Judgement(
                    "published", Verdict.VIOLATED if by_celery else Verdict.UNKNOWN, said, None, (life.id,)
                )
            if life.publish is not Kind.PUBLISHED:
                return Judgement("published", Verdict.UNKNOWN, f"whether {short(life)} was published is not known")
        return Judgement("published", Verdict.HELD, "published")


class Undeclared(msgspec.Struct, frozen=True, tag="undeclared"):
    """Publishing each of these was refused."""

    ids: list[str]

    def forgets(self, life: Life) -> bool:
        return bool(self.ids)

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """Published is violated, never attempted is unknown."""
        for life in chosen(lives, self.ids):
            if life.publish is None:
                return Judgement("undeclared", Verdict.UNKNOWN, f"{short(life)} was not sent")
            if life.publish is not Kind.PUBLISH_FAILED:
                return Judgement(
                    "undeclared",
                    Verdict.VIOLATED,
                    f"{short(life)} was accepted by a queue that nobody declared or consumes",
                    Outcome.STUCK,
                    (life.id,),
                )
        return Judgement("undeclared", Verdict.HELD, "refused when it was published")


class Revoked(msgspec.Struct, frozen=True, tag="revoked"):
    """Each of these was stopped on request, and the broker does not have it any more."""

    ids: list[str]

    def forgets(self, life: Life) -> bool:
        return bool(self.ids)

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """One that was not revoked is violated; that it does not run again is another checker's question."""
        for life in chosen(lives, self.ids):
            if not life.revoked:
                return Judgement("revoked", Verdict.VIOLATED, f"{short(life)} was not revoked", None, (life.id,))
            if life.pending:
                return Judgement(
                    "revoked", Verdict.VIOLATED, f"{short(life)} is still in the broker", Outcome.STUCK, (life.id,)
                )
        return Judgement("revoked", Verdict.HELD, "stopped on request", Outcome.REVOKED)


class Unknown(msgspec.Struct, frozen=True, tag="unknown_task"):
    """Each of these was recognised as unknown, dropped, and blocks nothing."""

    ids: list[str]

    def forgets(self, life: Life) -> bool:
        return bool(self.ids)

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """Still in the broker is violated."""
        for life in chosen(lives, self.ids):
            if life.pending:
                return Judgement(
                    "unknown_task",
                    Verdict.VIOLATED,
                    "the message for an unknown task is still in the broker",
                    Outcome.STUCK,
                    (life.id,),
                )
            if not life.unknown:
                return Judgement(
                    "unknown_task", Verdict.UNKNOWN, "no worker said that it does not know the task", None, (life.id,)
                )
        return Judgement("unknown_task", Verdict.HELD, "dropped as unknown, and those behind it ran", Outcome.FAILED)
