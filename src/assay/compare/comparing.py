"""From the reports of earlier runs and of a current one to what drifted between them. Pure."""

from collections.abc import Sequence

import msgspec

from assay.audit.promises import promised
from assay.compare.causing import Causes
from assay.compare.comparison import UNPROVED, WORSE, Change, Comparison, Difference, Drift, Kind
from assay.compare.differences import environment
from assay.compare.fit import alike, beyond, why_not
from assay.compare.revalued import revalued
from assay.compare.rows import Key, by_task, guarantee, rank, seen, unrun, words
from assay.compare.times import later, timings, untested
from assay.errors import UsageError
from assay.report import CANARY_LOST, Claim, Report
from assay.reports.words import seconds
from assay.verdict import CHAOS, Result, Verdict


def compare(bases: Sequence[Report], current: Report) -> Comparison:
    """What became of the guarantees of `bases` in `current`.

    The newest of the bases is what is compared with; those that ran the same settings on the same stack tell which
    rows are flaky, and how much its times vary. Raises UsageError where nothing can be said, with the reason.
    """
    if not bases:
        raise UsageError("there is nothing to compare with: the base has no run")
    used, notes = alike(bases)
    base = used[-1]
    if why := why_not(base, current):
        raise UsageError(f"these cannot be compared: {why}")
    causes = Causes(base, current)
    earlier, now = [by_task(report) for report in used], by_task(current)
    keys = dict.fromkeys([*(key for rows in earlier for key in rows), *now])
    found = [_became(key, [rows[key] for rows in earlier if key in rows], now.get(key), causes) for key in keys]
    drifts = _drifts([each for each in found if each], causes) + _gone(causes, earlier[-1]) + _claims(base, current)
    drifts += _loosened(causes, {drift.cause for drift in drifts})
    drifts += _unseen(causes, {drift.cause for drift in drifts if drift.kind in WORSE | {Kind.STRONGER}})
    drifts.sort(key=lambda drift: (list(Kind).index(drift.kind), not drift.changed, -_tasks_in(drift)))
    blind = _blind(base, current)
    kinds = {drift.kind for drift in drifts}
    return Comparison(
        app=str(current.app.get("name") or current.app.get("module") or ""),
        exit_code=1 if kinds & WORSE else 3 if kinds & UNPROVED or blind else 0,
        runs=len(used),
        rows=len(now),
        same=len(now) - sum(each is not None and each.key in now for each in found),
        drifts=drifts,
        settings=causes.settings,
        environment=environment(base, current),
        timings=timings(used, current),
        untested_times=untested(used, current),
        blind=blind,
        notes=notes,
    )


def _blind(base: Report, current: Report) -> str:
    """What speaks against all that is green now; "" where nothing does. A base may not tell of its canary."""
    if current.canary == CANARY_LOST:
        return ""
    if not current.canary and base.canary == CANARY_LOST:
        return "the base had a canary and this run had none, so nothing shows that a loss would have been seen"
    return current.canary


class _Became(msgspec.Struct, frozen=True):
    key: Key
    kind: Kind
    before: Result | None
    after: Result | None
    said: tuple[str, str]  # before and after, in words


def _became(key: Key, earlier: Sequence[Result], after: Result | None, causes: Causes) -> _Became | None:
    """None where it is as it was, or where its task is not in the app any more, which is told once a task."""
    if not earlier:
        assert after is not None
        return _Became(key, _new(key, after, causes.base), None, after, ("", guarantee(after)))
    before = earlier[-1]
    if after is None:
        if causes.is_gone(key[2]):
            return None
        return _Became(key, _not_run(before, key[2], causes), before, None, (guarantee(before), "not run"))
    if len({seen(row) for row in earlier}) > 1:
        return _of_flaky(key, earlier, after)
    kind = _kind(before, after)
    if kind is not None:
        return _Became(key, kind, before, after, words(before, after))
    told = after.verdict is Verdict.HELD and key[0] != CHAOS
    if told and (gap := later([row.recovery_s for row in earlier], after.recovery_s)):
        said = (f"recovered in {seconds(gap[0])}", f"recovered in {seconds(gap[1])}")
        return _Became(key, Kind.LATER, before, after, said)
    if causes.is_withdrawn(before, after, key[2]):
        return _Became(key, Kind.WITHDRAWN, before, after, (before.promise, after.promise or "nothing is promised"))
    return None


def _kind(before: Result, after: Result) -> Kind | None:
    """What the later row is beside the earlier one; None where both are worth the same and read the same."""
    if seen(before) == seen(after):
        return None
    if after.known:
        return Kind.KNOWN
    if after.verdict is Verdict.UNKNOWN:
        return Kind.UNKNOWN if before.verdict is Verdict.HELD else Kind.UNDECIDED
    if after.verdict is Verdict.VIOLATED and (before.verdict is not Verdict.VIOLATED or before.known):
        return Kind.VIOLATED
    if rank(after) > rank(before):
        return Kind.WEAKER
    return Kind.STRONGER if rank(after) < rank(before) else Kind.CHANGED


def _of_flaky(key: Key, earlier: Sequence[Result], after: Result) -> _Became:
    """Held against the worst and the best that was seen of it without any change.

    The code of the app is no part of what is known to be unchanged: a violation that was mended and is back is none of
    chance. So what the newest run had is not taken back by an older one that was as red as now.
    """
    newest = _newest(earlier, after)
    if (since := _kind(newest, after)) in (Kind.VIOLATED, Kind.UNKNOWN):
        return _Became(key, since, newest, after, words(newest, after))
    worst, best = max(earlier, key=rank), min(earlier, key=rank)
    against_worst = _kind(worst, after)
    said = (", ".join(dict.fromkeys(guarantee(row) for row in earlier)), guarantee(after))
    if against_worst in (Kind.VIOLATED, Kind.WEAKER, Kind.UNKNOWN) and seen(after) not in map(seen, earlier):
        return _Became(key, against_worst, worst, after, said)
    kind = Kind.STRONGER if rank(after) < rank(best) else Kind.FLAKY
    return _Became(key, kind, worst, after, said)


def _newest(earlier: Sequence[Result], after: Result) -> Result:
    """The newest that speaks of `after`: beside a violation one that was not judged says nothing."""
    judged = [row for row in earlier if row.verdict is not Verdict.UNKNOWN]
    return judged[-1] if judged and after.verdict is Verdict.VIOLATED else earlier[-1]


def _new(key: Key, after: Result, base: Report) -> Kind:
    """A violation of what the base could have told of is one that it had not."""
    if after.known:
        return Kind.KNOWN
    return Kind.VIOLATED if after.verdict is Verdict.VIOLATED and not beyond(key, base) else Kind.NEW


def _not_run(before: Result, task: str, causes: Causes) -> Kind:
    """A promise that is not made any more, or one that nobody looked after this time."""
    if before.verdict is not Verdict.HELD:
        return Kind.UNDECIDED
    return Kind.WITHDRAWN if before.suite != CHAOS and causes.is_of_no_use(before, task) else Kind.NOT_RUN


def _drifts(found: Sequence[_Became], causes: Causes) -> list[Drift]:
    """One for each cause and kind; in it, one change for all tasks that have the same scenario and words."""
    groups: dict[tuple[Kind, str, bool, str], dict[tuple[str, tuple[str, str]], list[_Became]]] = {}
    for each in found:
        cause = causes.of(each.before, each.after, each.key[2])
        changes = groups.setdefault((each.kind, cause.text, cause.changed, cause.place), {})
        changes.setdefault((f"{each.key[0]}.{each.key[1]}", each.said), []).append(each)
    return [
        Drift(
            kind=kind,
            cause=text,
            changed=changed,
            place=place,
            changes=[_change(scenario, some) for (scenario, _), some in changes.items()],
        )
        for (kind, text, changed, place), changes in groups.items()
    ]


def _change(scenario: str, some: Sequence[_Became]) -> Change:
    first = some[0]
    row = first.after or first.before
    assert row is not None
    return Change(
        scenario=scenario,
        tasks=tuple(sorted(each.key[2] for each in some)),
        fault=row.fault,
        before=first.said[0],
        after=first.said[1],
        verdict_before=first.before.verdict if first.before else None,
        verdict_after=first.after.verdict if first.after else None,
        reason=row.known or row.reason,
    )


def _gone(causes: Causes, earlier: dict[Key, Result]) -> list[Drift]:
    """A worker throws away what is published under the name of a task that it does not have."""
    lost = dict.fromkeys(task for _, _, task in earlier if causes.is_gone(task))
    return [
        Drift(
            kind=Kind.GONE,
            cause=f"{task} is not in the app any more",
            changed=True,
            place=str(causes.base.app.get("tasks", {}).get(task, {}).get("place", "")),
            changes=[
                Change(
                    scenario="every scenario",
                    tasks=(task,),
                    fault="",
                    before="in the app",
                    after="unknown to it",
                    reason="a worker throws away what is published under this name",
                )
            ],
        )
        for task in lost
    ]


def _loosened(causes: Causes, told: set[str]) -> list[Drift]:
    """What a team required of its tasks and does not any more is no matter of what happens to them."""
    return [
        _withdrawn(each, f"{each.before} required", f"{each.after} required" if each.after else "not required")
        for each in causes.loosened()
        if str(each) not in told
    ]


def _unseen(causes: Causes, told: set[str]) -> list[Drift]:
    """Settings whose new values no row speaks of: what else does the same may not go on doing so."""
    return [
        _withdrawn(each, promised(each.name), "promised otherwise, or no more", beside="no row differs")
        for each in revalued(causes.settings, causes.current)
        if str(each) not in told
    ]


def _withdrawn(each: Difference, before: str, after: str, beside: str = "") -> Drift:
    change = Change(scenario="no scenario is needed", tasks=each.tasks, fault=beside, before=before, after=after)
    return Drift(kind=Kind.WITHDRAWN, cause=str(each), changed=True, place=each.place, changes=[change])


def _claims(base: Report, current: Report) -> list[Drift]:
    """Claims that no run is needed to judge: settings that nothing reads."""
    before: dict[str, list[Claim]] = {}
    for claim in unrun(base):
        before.setdefault(claim.setting, []).append(claim)
    drifts = []
    for claim in unrun(current):
        earlier = before.get(claim.setting, [])
        like = [each for each in earlier if _state(each) == _state(claim)]
        further = {*claim.tasks} - {task for each in like for task in each.tasks}
        if claim.verdict is not Verdict.VIOLATED or (like and not further):
            continue
        was = next((each for each in earlier if each not in like), None)
        kind = Kind.KNOWN if claim.known else Kind.VIOLATED
        change = Change(
            scenario="no scenario is needed",
            tasks=tuple(sorted(further)),
            fault="",
            before=str(was.verdict) if was else "",
            after="violated",
            verdict_before=was.verdict if was else None,
            verdict_after=claim.verdict,
            reason=claim.known or claim.observed,
        )
        drifts.append(Drift(kind=kind, cause=claim.setting, changed=not earlier, place=claim.place, changes=[change]))
    return drifts


def _state(claim: Claim) -> tuple[Verdict, str]:
    return claim.verdict, claim.known


def _tasks_in(drift: Drift) -> int:
    return sum(len(change.tasks) for change in drift.changes)
