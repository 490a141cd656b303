"""From judged results to the report of a run. Pure."""

import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from assay.brokers import speaks_amqp
from assay.contract.breaches import UNKEPT, breaches
from assay.contract.held_to import held_to
from assay.dead import UNREAD, dead_claims
from assay.fault import KILLS, STRIKING
from assay.inventory import Inventory
from assay.known import Known, mark_known
from assay.plan import Planned
from assay.report import CANARY_LOST, Claim, Report, exit_code
from assay.subject import Subject
from assay.verdict import CHAOS, Outcome, Result, Verdict

if TYPE_CHECKING:
    from assay.settings import Settings


class Facts(msgspec.Struct, kw_only=True):
    """What a run knows before its first scenario; kept in the run folder, so that it can be judged again."""

    subject: Subject
    broker: str
    broker_version: str
    pool: str
    cold: bool
    live: bool
    elsewhere: bool = False  # its workers were run by others
    members: dict[str, list[str]]
    known: list[Known] = []
    started_at: str = ""
    scaled: list[str] = []
    notes: list[str] = []
    plan: list[Planned] = []
    selection: dict[str, list[str]] = {}  # as in the report
    demanded: str = ""  # delivery, of a chaos run
    canary: str = ""  # what became of it; "": there was none
    workdir: str = ""
    duration_s: float = 0.0  # 0: it was cut short
    files: Inventory = {}  # of a chaos run: what is judged besides its events, and these
    events: Inventory = {}

    @property
    def finished(self) -> bool:
        return self.duration_s > 0

    @classmethod
    def of(
        cls, subject: Subject, broker: str, version: str, pool: str, settings: "Settings", members: dict[str, list[str]]
    ) -> "Facts":
        return cls(
            subject=subject,
            broker=broker,
            broker_version=version,
            pool=pool,
            workdir=str(settings.workdir),
            cold=settings.cold,
            live=settings.bodies == "live",
            members=members,
            known=list(settings.known),
            started_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        )


def conclude(facts: Facts, results: list[Result]) -> Report:
    """The report of these results. Known violations do not count, dead settings do."""
    today = datetime.datetime.now(datetime.UTC).date()
    not_seen = mark_known(results, facts.known, today, [task.name for task in facts.subject.tasks])
    tested = _claims(results)
    unrun = [_accepted(each, UNREAD, facts.known, today) for each in dead_claims(facts.subject)]
    unrun += [_accepted(each, UNKEPT, facts.known, today) for each in _unkept(facts, results)]
    claims = [*unrun, *tested]
    counting = [result.verdict for result in results if not result.known]
    dead = [claim.verdict for claim in unrun if not claim.known]
    verdict = (
        Verdict.worst([*counting, *dead]) if counting or dead else Verdict.worst([Verdict.HELD] if results else [])
    )
    if facts.canary not in ("", CANARY_LOST):
        verdict = Verdict.worst([verdict, Verdict.UNKNOWN])
    telling = [result for result in results if _tells_of_loss(result)]
    return Report(
        verdict=verdict,
        exit_code=exit_code(verdict),
        app=_app(facts),
        broker={"name": facts.broker, "version": facts.broker_version},
        environment={
            **facts.subject.versions,
            "pool": facts.pool,
            "workers": "elsewhere" if facts.elsewhere else "cold" if facts.cold else "warm",
            "bodies": "live" if facts.live else "hollow",
        },
        redirected=facts.subject.redirected + facts.subject.warnings + facts.notes,
        scaled=facts.scaled,
        contracts=held_to(facts.subject, facts.members, facts.demanded or facts.subject.demanded),
        claims=claims,
        results=results,
        landed=sum(_landed(result) for result in telling if not result.known),
        lost=sum(_lost(result) for result in telling if not result.known),
        lost_beside=sum(_lost(result) for result in results if _meant_for_none(result) and not result.known),
        landed_known=sum(_landed(result) for result in telling if result.known),
        canary=facts.canary,
        known_not_seen=not_seen,
        started_at=facts.started_at,
        duration_s=round(facts.duration_s, 3),
        selection=facts.selection,
    )


def _unkept(facts: Facts, results: list[Result]) -> list[Claim]:
    """What contracts cannot be kept, where no row has told: a row that was run knows better."""
    names = [name for members in facts.members.values() for name in members]
    told = {
        (row.claim, name) for row in results if row.verdict is not Verdict.UNKNOWN for name in (row.task, *row.members)
    }
    found = breaches(facts.subject, facts.pool, names) if names else []
    return [
        Claim(
            setting=each.claim,
            promise=each.promise,
            verdict=Verdict.VIOLATED,
            observed=each.observed,
            place=each.place,
            remedy=each.remedy,
            tasks=list(each.tasks),
        )
        for each in found
        if not {(each.claim, name) for name in each.tasks} <= told
    ]


def _accepted(claim: Claim, rule: str, known: list[Known], today: datetime.date) -> Claim:
    """With the team's reason, where it has one for it."""
    key = claim.setting.partition("=")[0]
    fitting = [each for each in known if each.speaks_of(rule, [key], claim.tasks) and not each.expired(today)]
    return msgspec.structs.replace(claim, known=f"{fitting[0].reason} ({fitting[0].upstream})") if fitting else claim


def _tells_of_loss(result: Result) -> bool:
    """Whether a fault that takes work away landed in it, and what became of the work was judged."""
    return result.fault in KILLS and any(judgement.checker == "delivery" for judgement in result.judgements)


def _meant_for_none(result: Result) -> bool:
    """Whether it is about what no fault of a chaos run was meant for: it may have been in a worker that one took."""
    return result.suite == CHAOS and result.fault not in STRIKING


def _landed(result: Result) -> int:
    """One, where a row is about one interruption, whatever it took to bring about."""
    return result.landed if result.suite == CHAOS else min(result.landed, 1)


def _lost(result: Result) -> int:
    """One, where a row is about one invocation; as many as there are in the row of a chaos run."""
    if result.suite != CHAOS:
        return int(result.outcome == Outcome.LOST)
    return sum(int(judgement.figures.get(Outcome.LOST, 0)) for judgement in result.judgements)


def _app(facts: Facts) -> dict[str, Any]:
    subject = facts.subject
    tasks = {task.name: {**msgspec.to_builtins(task), "profile": task.profile()} for task in subject.tasks}
    settings = {setting.key: setting.value for setting in subject.settings}
    origins = {each.key: {"given": each.given or each.key, "place": each.place} for each in subject.settings}
    return {
        "name": subject.name,
        "module": subject.app,
        "tasks": tasks,
        "settings": settings,
        "origins": origins,
        "profiles": facts.members,
        "visibility_timeout_s": 0.0 if speaks_amqp(facts.broker) else subject.visibility_timeout,
    }


def _claims(results: list[Result]) -> list[Claim]:
    """One for each setting that results speak of: the worst of them, told by the worst row."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        if result.claim:
            groups.setdefault(result.claim, []).append(result)
    claims = []
    for setting, rows in groups.items():
        worst = max(rows, key=lambda row: row.verdict.rank)
        claims.append(
            Claim(
                setting=setting,
                promise=worst.promise,
                verdict=worst.verdict,
                observed=f"{worst.suite}.{worst.scenario}: {worst.reason}"
                if worst.verdict != Verdict.HELD
                else f"held in {len(rows)} rows",
                place=worst.place,
                remedy=worst.remedy,
                tasks=sorted({name for row in rows if row.verdict == worst.verdict for name in row.members}),
            )
        )
    return claims
