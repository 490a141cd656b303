"""Do the result backend, the executions and the broker tell the same story?"""

from collections.abc import Mapping

import msgspec

from assay.checkers.words import chosen, short, tale
from assay.event import Kind
from assay.life import Life, World
from assay.verdict import Judgement, Outcome, Verdict

UNREADABLE = "unreadable"  # what the client says, with the error, where the result backend did not answer


class FinalState(msgspec.Struct, frozen=True, tag="final_state"):
    """What the result backend says at the end is one of `states`."""

    ids: list[str]
    states: list[str]

    def forgets(self, life: Life) -> bool:
        return bool(self.ids)

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """Results that are ignored are not judged; one that was not read, or could not be, is unknown."""
        for life in chosen(lives, self.ids):
            if life.result is None or life.result.startswith(UNREADABLE):
                said = f"the result of {short(life)} was not read{(life.result or '').removeprefix(UNREADABLE)}"
                return Judgement("final_state", Verdict.UNKNOWN, said)
            if life.result not in (*self.states, "ignored"):
                if why := _overtaken(life):
                    return Judgement("final_state", Verdict.UNKNOWN, why)
                what = Outcome.LOOPING if world.settled is False and len(life.attempts) > 3 else None
                said = f"the result of {short(life)} says {life.result}, {' or '.join(self.states)} is due"
                return Judgement("final_state", Verdict.VIOLATED, said + _unstored(life), what, (life.id,))
        failed = Outcome.FAILED if any(life.result == "FAILURE" for life in chosen(lives, self.ids)) else None
        return Judgement("final_state", Verdict.HELD, f"results say {' or '.join(self.states)}", failed)


def _overtaken(life: Life) -> str:
    """Why a RETRY that stays proves nothing: the next attempt was sooner, its delay being scaled.

    In production that attempt would have waited for longer than it took to store the state. "" where that is not so.
    """
    if life.result != "RETRY":
        return ""
    for retried, following, sent in zip(life.attempts, life.attempts[1:], life.retries_sent, strict=False):
        ended_at, countdown_s = retried.ended_at, sent.detail.get("countdown_s")
        if retried.state != "RETRY" or ended_at is None or ended_at < following.started_at or countdown_s is None:
            continue
        took_s = (ended_at - int(sent.detail.get("asked_at_ns") or sent.at_ns)) / 1e9
        if took_s < float(countdown_s):
            return (
                f"the RETRY of {short(life)} was stored {took_s:.3g} s after the retry was asked for: later than the "
                f"next attempt began, which in production waits for {float(countdown_s):g} s"
            )
    return ""


def _unstored(life: Life) -> str:
    """Why the backend does not say what it should, where it refused to take it."""
    if not life.unstored:
        return ""
    first = life.unstored[0]
    after = sum(attempt.started_at > first.at_ns for attempt in life.attempts)
    then = f", {after} attempts afterwards" if after else ", and the message was acknowledged" if life.acks else ""
    return f"; storing {first.detail.get('state')} failed: {first.detail.get('error')}{then}"


class Ledgers(msgspec.Struct, frozen=True, tag="ledgers"):
    """Broker, executions and result backend agree; where not, which one lies."""

    ids: list[str] = []

    def forgets(self, life: Life) -> bool:
        """What the broker or the result backend says otherwise, later, brings it back."""
        return True

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """The executions are what happened; the other two are held against them."""
        for life in chosen(lives, self.ids):
            said = lie(life)
            if said and (why := _overtaken(life)):
                return Judgement("ledgers", Verdict.UNKNOWN, why)
            if said:
                return Judgement(
                    "ledgers", Verdict.VIOLATED, f"{short(life)}: {said}; {tale(life, world)}", None, (life.id,)
                )
        return Judgement("ledgers", Verdict.HELD, "broker, executions and results agree")


def lie(life: Life) -> str:
    """Which ledger does not tell what happened, and how; "" where they agree, or where one of them was not read."""
    result, done = life.result, life.done
    if result in (None, "ignored") or life.publish is not Kind.PUBLISHED:
        return ""
    if result == "SUCCESS" and not done:
        return "the result backend lies: it says SUCCESS, and no attempt finished the work"
    if result == "FAILURE" and done:
        return f"the result backend lies: it says FAILURE, and {_who_did(life)}"
    if result in ("STARTED", "RETRY", "PENDING", "RECEIVED") and not life.pending:
        if done:
            return f"the result backend lies: it says {result}, and the work was done"
        if life.attempts:
            return f"the result backend lies: it says {result}, and nothing runs or waits any more"
    if result == "SUCCESS" and life.pending:
        return "the broker lies: it still holds a message whose work was done and stored"
    return ""


def _who_did(life: Life) -> str:
    did = next(attempt for attempt in life.attempts if attempt.done)
    if did is life.attempts[0]:
        return "the work was done"
    return "the redelivery succeeded" if did.redelivered else "a later attempt succeeded"
