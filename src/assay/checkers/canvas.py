"""Did the whole of a canvas complete or fail, rather than hang? Was each callback called once, by its own queue?"""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from assay.checkers.delivery import FAILED, outcome
from assay.checkers.ledgers import UNREADABLE
from assay.checkers.words import chosen, killed, short, tale
from assay.life import Life, World
from assay.verdict import Judgement, Outcome, Verdict

#: "end" is either of the two, "any" may hang as well: then what becomes of the whole is shown and not judged
Due = Literal["completion", "failure", "end", "any"]
SUCCEEDED = "SUCCESS"
GIVEN_UP = (FAILED, "REVOKED")


class Whole(msgspec.Struct, frozen=True, tag="whole"):
    """The whole of a canvas completes or fails, whichever is due, and never hangs.

    `ids` are its parts, `ends` those that whoever waits for the whole waits for. `results`: the backend keeps them.
    """

    due: Due
    ids: list[str]
    ends: list[str]
    results: bool = True

    def forgets(self, life: Life) -> bool:
        """Its own are kept whatever it says."""
        return True

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """It has failed only where that is recorded: nobody is told of a link that is not published."""
        parts, last = chosen(lives, self.ids), chosen(lives, self.ends)
        if not any(life.publish for life in parts):
            return Judgement("whole", Verdict.UNKNOWN, "nothing was published")
        unread = next(
            (life for life in last if self.results and (life.result or UNREADABLE).startswith(UNREADABLE)), None
        )
        if unread is not None:
            return Judgement("whole", Verdict.UNKNOWN, f"the result of {short(unread)} was not read")
        silent = [life for life in last if not self._succeeded(life) and not self._failed(life, parts)]
        culprit = _culprit(parts)
        if silent:
            what = Outcome.STUCK if any(outcome(life, world) is Outcome.STUCK for life in parts) else Outcome.LOST
            verdict = Verdict.HELD if self.due == "any" else Verdict.VIOLATED
            said = f"the whole hangs: {self._of(silent[0])}; {_told(culprit, world)}"
            return Judgement("whole", verdict, said, what, _ids(culprit, *silent))
        broken = next((life for life in last if not self._succeeded(life)), None)
        due = "completion" if self.due == "failure" else "failure"
        if broken is None:
            again = any(killed(attempt, world) for life in parts for attempt in life.attempts)
            what, said = (Outcome.RECOVERED if again else Outcome.OK), "the whole completed"
            verdict = Verdict.VIOLATED if self.due == "failure" else Verdict.HELD
            said += ", and was to fail" if verdict is Verdict.VIOLATED else ""
            return Judgement("whole", verdict, said, what, tuple(self.ends) if verdict is Verdict.VIOLATED else ())
        verdict = Verdict.VIOLATED if self.due == "completion" else Verdict.HELD
        said = f"the whole failed: {_told(culprit, world)}"
        said = f"{said}, and was to complete" if due == "failure" and verdict is Verdict.VIOLATED else said
        return Judgement("whole", verdict, said, Outcome.FAILED, _ids(culprit, broken))

    def _kept(self, life: Life) -> bool:
        return self.results and life.result != "ignored"

    def _succeeded(self, life: Life) -> bool:
        return life.result == SUCCEEDED if self._kept(life) else life.done > 0

    def _failed(self, life: Life, parts: Sequence[Life]) -> bool:
        return life.result in GIVEN_UP if self._kept(life) else any(_failure(each) for each in parts)

    def _of(self, life: Life) -> str:
        done = "was done" if life.done else "was not done"
        return f"{short(life)} {done}" + (f", and its result says {life.result}" if self._kept(life) else "")


def _failure(life: Life) -> bool:
    """Somebody is told that it failed."""
    told = any(event.detail.get("name") == "task_failure" for event in life.signals)
    return told or any(attempt.state == FAILED for attempt in life.attempts)


def _culprit(parts: Sequence[Life]) -> Life | None:
    """The part that did not go plainly."""
    odd = [life for life in parts if life.faults or life.pending or _failure(life)]
    odd += [life for life in parts if not life.done and life.attempts]
    odd += [life for life in parts if not life.done]
    return next(iter(odd), None)


def _told(culprit: Life | None, world: World) -> str:
    if culprit is None:
        return "each part was done"
    never = "no attempt of it began" if culprit.calls else "nobody published it"
    return f"{short(culprit)}: {tale(culprit, world) or never}"


def _ids(*lives: Life | None) -> tuple[str, ...]:
    """Each once, the one that tells the most first."""
    return tuple(dict.fromkeys(life.id for life in lives if life))


class Order(msgspec.Struct, frozen=True, tag="order"):
    """No part of a canvas begins before each of those that it comes after is done: {part: those}."""

    ids: list[str]
    before: dict[str, list[str]]

    def forgets(self, life: Life) -> bool:
        """Its own are kept whatever it says."""
        return True

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """One that never begins keeps any order: whether it should have is for others."""
        if not any(life.publish for life in chosen(lives, self.ids)):
            return Judgement("order", Verdict.UNKNOWN, "nothing was published")
        for later, earlier in self.before.items():
            life = lives.get(later) or Life(later)
            for first in (lives.get(each) or Life(each) for each in (earlier if life.attempts else ())):
                done = min((each.exited_at or 0 for each in first.attempts if each.done), default=None)
                if done is None or done > life.attempts[0].started_at:
                    said = f"{short(life)} began before {short(first)} was done"
                    said += "" if done else ", which it never was"
                    return Judgement("order", Verdict.VIOLATED, said, None, (later,))
        return Judgement("order", Verdict.HELD, "no part began before what it comes after was done")


class Callbacks(msgspec.Struct, frozen=True, tag="callbacks"):
    """Each callback is called and done once, by its own queue, and not before the last attempt of what it is of.

    `of` are the parts that have it. One that Celery calls as an errback in the process of the failure has no queue.
    `most` is None where a part may run again, and with it what it calls.
    """

    ids: list[str]
    queue: str = ""
    of: dict[str, list[str]] = {}
    most: int | None = 1

    def forgets(self, life: Life) -> bool:
        return not any(life.id in parts for parts in self.of.values())

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """Retries and redeliveries of a callback are no further calls."""
        if not any(life.publish for life in lives.values()) and not world.forgotten:
            return Judgement("callbacks", Verdict.UNKNOWN, "nothing was published")
        for life in chosen(lives, self.ids):
            fault, what = self._fault(life, [lives[each] for each in self.of.get(life.id, ()) if each in lives], world)
            if fault:
                return Judgement("callbacks", Verdict.VIOLATED, f"callback {short(life)} {fault}", what, (life.id,))
        return Judgement("callbacks", Verdict.HELD, f"{len(self.ids)} callbacks, each called as often as it should be")

    def _fault(self, life: Life, of: Sequence[Life], world: World) -> tuple[str, Outcome | None]:
        calls = life.calls
        if not calls:
            return "was never called", Outcome.LOST
        if self.most is not None and len(calls) > self.most:
            return f"was called {len(calls)} times", Outcome.DUPLICATED
        if self.most is not None and life.done > self.most:
            return f"was done {life.done} times: {tale(life, world)}", Outcome.DUPLICATED
        if not life.done:
            return f"was called and not done: {tale(life, world) or 'it never began'}", outcome(life, world)
        strayed = {str(event.detail.get("queue")) for event in life.deliveries} - {self.queue}
        if self.queue and strayed:
            return f"was delivered by queue {', '.join(sorted(strayed))}, its own is {self.queue}", None
        later = [each for each in of if each.attempts and each.attempts[-1].started_at > calls[0]]
        if self.most is not None and later:
            return f"was called before the last attempt of {short(later[0])}", None
        return "", None
