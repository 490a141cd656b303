"""Each checker on a history that it must judge red, on its green twin, and where it cannot tell."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from histories import (
    CHILD,
    At,
    acked,
    attempt,
    ended,
    event,
    hook,
    killed,
    published,
    received,
    result,
    retry,
    revoked,
    settled,
    signal,
    started,
    still_queued,
    story,
    unsettled,
)

from assay import checkers
from assay.checker import Checker, check
from assay.checkers import (
    Ahead,
    Attempts,
    Bystanders,
    Callbacks,
    Delivery,
    Evidence,
    FinalState,
    Grace,
    Isolation,
    Ledgers,
    Leftovers,
    Liveness,
    LongestRun,
    NextTask,
    Order,
    Published,
    Reached,
    Recovery,
    Recycling,
    Restarted,
    RetryPolicy,
    Revoked,
    Routing,
    Shutdown,
    Signals,
    StaysRevoked,
    Stops,
    TimeLimit,
    Told,
    Undeclared,
    Unknown,
    Whole,
)
from assay.event import Kind
from assay.verdict import Outcome, Verdict

Story = Sequence[At]
PLAIN: Story = (published(), received(), *attempt(), acked(), settled(), result("SUCCESS"))
LOST: Story = (published(), received(), acked(), *started(), *killed(), settled(), result("STARTED"))
RECOVERED: Story = (
    *(published(), received(), *started(), *killed(), received(redelivered=True)),
    *(*attempt(number=2, pid=12), acked(), settled(), result("SUCCESS")),
)
TWICE: Story = (published(), received(), *attempt(), received(redelivered=True), *attempt(number=2, pid=12), acked())
NOTHING: Story = ()
BUSY: Story = (published(), received(), *started(), event(Kind.HELD, "a", pid=11, point="body_middle"), received("b"))
LET_GO = event(Kind.RELEASED, "a", pid=11)
RESTART: Story = (
    event(Kind.FAULT_INJECTED, pid=1, fault="pool_restart"),
    event(Kind.FAULT_LANDED, pid=1, fault="pool_restart"),
)
DISCONNECTED: Story = (event(Kind.CONNECTION_LOST, error="ConnectionResetError"),)


def struck(at_ns: int) -> At:
    """The loss before it is the fifth event: 50 ms after the clock's begin."""
    return event(Kind.FAULT_LANDED, pid=1, fault="connection cut", struck_ns=at_ns)


STRUCK: Story = (published(), received(), *started()[:1], event(Kind.FAULT_INJECTED, pid=1), struck(0))
FAILED_AGAIN: Story = (
    *RECOVERED[:7],
    *attempt(number=2, pid=12, raised="Locked"),
    acked(),
    settled(),
    result("FAILURE"),
)
FAILED_AS_PLANNED: Story = (
    *RECOVERED[:7],
    *attempt(number=2, pid=12, raised="PlannedFailure"),
    acked(),
    settled(),
    result("FAILURE"),
)
CUT: Story = tuple(
    event(kind, pid=1, fault="connection cut", target=1, signal="cut")
    for kind in (Kind.FAULT_INJECTED, Kind.FAULT_LANDED)
)
EXITED = event(Kind.WORKER_EXITED, pid=1, status=1, closed=False)
CLOSED = event(Kind.WORKER_EXITED, pid=1, status=-9, closed=True)
GIVES_UP = event(Kind.CONSUMER_ENDED, error="RuntimeError: planned")
STOPPING = event(Kind.WORKER_STOPPING, how="warm")
HANGS = event(Kind.WORKER_HANGS, pid=1, after_s=20.0)
LEFT = event(Kind.WORKER_EXITED, pid=1, status=0)
STOPPED: Story = (published(), *attempt(), acked(), STOPPING, event(Kind.WORKER_EXITED, pid=1, status=0))
CHILD_KILLED = event(Kind.CHILD_KILLED, "a", child=CHILD)
SOFT, HARD = event(Kind.SOFT_LIMIT, "a", limit_s=1.0), event(Kind.HARD_LIMIT, "a", limit_s=2.0, child=CHILD)
RETRIED: Story = (
    *(published(), received(), *started(), retry(), *ended(raised="ConnectionError", state="RETRY"), acked()),
    *(received(), *attempt(number=2, pid=12, retries=1), acked()),
)
TOLD = Told(ids=["a"], times={"task_success": 1, "task_failure": 0, "link": 1})
TELLS: Story = (published(), received(), *attempt(), signal("task_success"), hook("link"))
OVER: Story = (acked(), settled())
POLICY = RetryPolicy(ids=["a"], retries=1, delays_s=[(60.0, 60.0)], scale=60.0 / 0.03, queue="shop", gives_up=False)


def of(pids: Sequence[int], first: int = 0) -> Story:
    """An invocation for each, run by the child of that pid."""
    return tuple(
        each
        for number, pid in enumerate(pids, first)
        for each in (
            published(f"i{number}"),
            received(f"i{number}"),
            *attempt(f"i{number}", pid=pid),
            acked(f"i{number}"),
        )
    )


def sent(invocation: str, retries: int = 0) -> At:
    return event(Kind.SENT, invocation, pid=CHILD, retries=retries, queue="shop")


def link(invocation: str, queue: str = "shop") -> Story:
    """It is called, and runs from a message."""
    return sent(invocation), received(invocation, queue), *attempt(invocation, pid=12), acked(invocation)


def errback(invocation: str) -> Story:
    """It is called in the process of the failure."""
    began, body = started(invocation)
    return At(began, detail={"retries": 0, "in_process": True}), body, *ended(invocation)


FIRST: Story = (published(), received(), *started())
STOPS: Story = (*FIRST, *killed(), settled(), result("FAILURE"), result("PENDING", "b"))
COMPLETES: Story = (*FIRST, sent("b"), *ended(), acked(), *link("b")[1:], settled(), result("SUCCESS", "b"))
FAILS: Story = (published(), received(), *attempt(raised="PlannedFailure"), settled(), result("FAILURE", "b"))
UNREAD: Story = (*COMPLETES[:-1], result("unreadable: OperationalError: away", "b"))
OF = {"b": ["a"]}


@dataclass(frozen=True)
class Case:
    """`unknown` is None where there is no history that leaves this checker in doubt but an empty one."""

    checker: Checker
    red: Story
    green: Story
    unknown: Story | None = None
    outcome: Outcome | None = None


ENDED_BY_LIMIT: Story = (published(), received(), *started(), STOPPING, HARD, *killed())


CASES = {
    "whole": Case(Whole(due="completion", ids=["a", "b"], ends=["b"]), STOPS, COMPLETES, UNREAD, Outcome.LOST),
    "whole failed": Case(Whole(due="completion", ids=["a", "b"], ends=["b"]), FAILS, COMPLETES, None, Outcome.FAILED),
    "whole was to fail": Case(Whole(due="failure", ids=["a", "b"], ends=["b"]), COMPLETES, FAILS, UNREAD, Outcome.OK),
    "whole ends": Case(Whole(due="end", ids=["a", "b"], ends=["b"]), STOPS, FAILS, UNREAD, Outcome.LOST),
    "whole is stuck": Case(
        Whole(due="end", ids=["a", "b"], ends=["b"]),
        (*FIRST, sent("b"), *ended(), settled(), still_queued("b"), result("PENDING", "b")),
        COMPLETES,
        None,
        Outcome.STUCK,
    ),
    "whole is done and nobody is told": Case(
        Whole(due="end", ids=["a", "b"], ends=["b"]),
        (*COMPLETES[:-1], result("STARTED", "b")),
        COMPLETES,
        None,
        Outcome.LOST,
    ),
    "whole without results": Case(
        Whole(due="end", ids=["a", "b"], ends=["b"], results=False), STOPS[:-2], (*FAILS[:-1], result("PENDING", "b"))
    ),
    "callbacks": Case(Callbacks(ids=["b"], queue="shop", of=OF), FAILS, COMPLETES, None, Outcome.LOST),
    "callbacks called twice": Case(
        Callbacks(ids=["b"], queue="shop", of=OF), (*COMPLETES, sent("b")), COMPLETES, NOTHING, Outcome.DUPLICATED
    ),
    "callbacks done twice": Case(
        Callbacks(ids=["b"], of=OF), (*COMPLETES, *attempt("b", 2, pid=13)), COMPLETES, NOTHING, Outcome.DUPLICATED
    ),
    "callbacks not done": Case(
        Callbacks(ids=["b"]),
        (*FIRST, sent("b"), *ended(), settled(), still_queued("b")),
        COMPLETES,
        None,
        Outcome.STUCK,
    ),
    "callbacks by another queue": Case(
        Callbacks(ids=["b"], queue="shop", of=OF), (*FIRST, *ended(), *link("b", "default")), COMPLETES
    ),
    "callbacks at each retry": Case(
        Callbacks(ids=["b"], queue="shop", of=OF),
        (*RETRIED[:4], *link("b"), *RETRIED[4:]),
        (*RETRIED, *link("b")),
    ),
    "callbacks called in the process": Case(
        Callbacks(ids=["b"], queue="shop", of=OF), (*FAILS, *errback("b"), *errback("b")), (*FAILS, *errback("b"))
    ),
    "callbacks of what may run again": Case(
        Callbacks(ids=["b"], most=None), FAILS, (*COMPLETES, *link("b")), None, Outcome.LOST
    ),
    "order": Case(Order(ids=["a", "b"], before=OF), (*FIRST, *link("b"), *ended()), COMPLETES, NOTHING),
    "order of what is never done": Case(Order(ids=["a", "b"], before=OF), (*FAILS, *link("b")), FAILS, NOTHING),
    "delivery": Case(Delivery(contract="at_least_once"), LOST, RECOVERED, NOTHING, Outcome.LOST),
    "delivery twice": Case(Delivery(contract="effectively_once"), TWICE, PLAIN, NOTHING, Outcome.DUPLICATED),
    "delivery stuck": Case(
        Delivery(contract="at_least_once"), (published(), settled(), still_queued("a")), PLAIN, None, Outcome.STUCK
    ),
    "delivery at most once": Case(Delivery(contract="at_most_once"), RECOVERED, LOST),
    "attempts": Case(Attempts(ids=["a"], least=1, most=1), RECOVERED, PLAIN),
    "attempts too few": Case(Attempts(ids=["a"], least=2), PLAIN, RECOVERED),
    "bystanders": Case(Bystanders(ids=["a"]), LOST, RECOVERED),
    "evidence": Case(Evidence(), NOTHING, RECOVERED, PLAIN),
    "evidence not settled": Case(Evidence(), NOTHING, RECOVERED, (*RECOVERED, unsettled())),
    "evidence of what was lost before": Case(
        Evidence(connected=True), NOTHING, (*STRUCK, *DISCONNECTED, settled()), (*DISCONNECTED, *STRUCK, settled())
    ),
    "evidence of what was lost before it struck": Case(
        Evidence(connected=True),
        NOTHING,
        (*STRUCK[:-1], *DISCONNECTED, struck(45_000_000), settled()),
        (*STRUCK[:-1], *DISCONNECTED, struck(55_000_000), settled()),
    ),
    "evidence too late": Case(Evidence(), NOTHING, RECOVERED, (*PLAIN, *killed(), settled())),
    "final_state": Case(FinalState(ids=["a"], states=["SUCCESS"]), (*PLAIN[:-1], result("FAILURE")), PLAIN, PLAIN[:-1]),
    "final_state unreadable": Case(
        FinalState(ids=["a"], states=["FAILURE"]),
        PLAIN,
        (*PLAIN[:-1], result("FAILURE")),
        (*PLAIN[:-1], result("unreadable: OSError")),
    ),
    "ahead": Case(
        Ahead(worker="w1", most=2),
        (*BUSY, received("c"), LET_GO),
        (*BUSY, At(received("d"), worker="w2"), LET_GO, received("c")),
        PLAIN,
    ),
    "isolation": Case(
        Isolation(ids=["a"], within_s=0.035), (published(), settled(), settled(), settled(), *attempt()), PLAIN
    ),
    "isolation stuck": Case(Isolation(ids=["a"], within_s=9.0), (published(), settled()), PLAIN, None, Outcome.STUCK),
    "ledgers": Case(Ledgers(), (*LOST[:-1], result("SUCCESS")), PLAIN),
    "ledgers late": Case(Ledgers(), (*PLAIN[:-1], result("STARTED")), PLAIN),
    "ledgers broker": Case(Ledgers(), (*PLAIN, still_queued("a")), PLAIN),
    "leftovers": Case(Leftovers(), (*PLAIN, event(Kind.FINAL_PROCESS, left=99, command="sleep 60")), PLAIN),
    "leftovers messages": Case(Leftovers(), (published(), still_queued("a")), PLAIN, None, Outcome.STUCK),
    "next_task": Case(NextTask(ids=["a"]), (published(), *attempt(raised="ValueError")), PLAIN),
    "longest_run of a limit": Case(
        LongestRun(ids=["a"], within_s=150.0, scale=100.0),
        (published(), *started(), HARD, *killed()),
        (published(), *started(), event(Kind.HARD_LIMIT, "a", limit_s=1.5, child=CHILD), *killed()),
        (published(), *attempt()),  # it ended by itself, which proves nothing
    ),
    "longest_run of no limit": Case(
        LongestRun(ids=["a"], within_s=10.0, scale=100.0),
        (published(), *started(), *([settled()] * 200), *ended()),
        (published(), *started(), event(Kind.HARD_LIMIT, "a", limit_s=0.1, child=CHILD), *killed()),
        (published(), settled()),
    ),
    "recovery within a margin": Case(
        Recovery(within_s=1.0, unsure_s=0.5),
        (*RECOVERED[:7], *([settled()] * 100), *RECOVERED[7:]),
        RECOVERED,
        (*RECOVERED[:7], *([settled()] * 55), *RECOVERED[7:]),
    ),
    "recovery": Case(Recovery(within_s=1.0), (*RECOVERED[:7], *([settled()] * 100), *RECOVERED[7:]), RECOVERED, LOST),
    "recycling": Case(Recycling(most=2), of([11, 11, 11, 12]), of([11, 11, 12]), of([11, 12])),
    "recycling nobody after": Case(Recycling(most=2), of([11, 11, 11]), of([11, 11, 12]), of([11, 11])),
    "restarted": Case(
        Restarted(before=[11]), (*of([11]), *RESTART, *of([11], 1)), (*of([11]), *RESTART, *of([12], 1)), RESTART
    ),
    "restarted unheard": Case(Restarted(before=[11]), RESTART[:1], (*RESTART, *of([12])), of([11, 12])),
    "delivery failed after a fault": Case(
        Delivery(contract="at_least_once", ids=["a"]),
        FAILED_AGAIN,
        (published(), received(), *attempt(raised="X"), acked()),
    ),
    "delivery failed after a fault, as it was to": Case(
        Delivery(contract="at_least_once", ids=["a"]), FAILED_AGAIN, FAILED_AS_PLANNED
    ),
    "published": Case(
        Published(ids=["a"]),
        (published(kind=Kind.PUBLISH_FAILED, error="QueueNotFound: bulk"), published("b")),
        PLAIN,
        (published(kind=Kind.PUBLISH_IN_DOUBT),),
    ),
    "retry_policy": Case(POLICY, PLAIN, RETRIED),
    "retry_policy told otherwise": Case(
        POLICY, tuple(retry(countdown_s=5.0) if e == retry() else e for e in RETRIED), RETRIED
    ),
    "retry_policy elsewhere": Case(POLICY, (*RETRIED[:7], received(queue="default"), *RETRIED[8:]), RETRIED),
    "revoked": Case(Revoked(ids=["a"]), PLAIN, (*LOST, event(Kind.REVOKED, "a", terminated=True))),
    "revoked stuck": Case(
        Revoked(ids=["a"]),
        (published(), event(Kind.REVOKED, "a"), still_queued("a")),
        (published(), event(Kind.REVOKED, "a")),
        None,
        Outcome.STUCK,
    ),
    "routing": Case(
        Routing(queues={"shop.charge": "shop"}), (published(), received(queue="default")), PLAIN, (published(),)
    ),
    "routing to others": Case(
        Routing(queues={"shop.charge": "shop"}, consumers={"w1": ["mail"]}),
        PLAIN,
        tuple(At(each, worker="w2") for each in PLAIN),
    ),
    "liveness": Case(Liveness(ids=["a"], within_s=9.0), (*CUT, published(), settled()), (*CUT, *PLAIN), (*PLAIN, *CUT)),
    "liveness late": Case(
        Liveness(ids=["a"], within_s=0.025), (*CUT, published(), settled(), settled(), *attempt()), (*CUT, *PLAIN)
    ),
    "liveness of a worker that ends by itself": Case(
        Liveness(ids=["a"], within_s=9.0), (*CUT, EXITED, *PLAIN), (*CUT, STOPPING, EXITED, *PLAIN)
    ),
    "liveness of a worker that the harness ends": Case(
        Liveness(ids=["a"], within_s=9.0), (*CUT, *PLAIN, EXITED), (*CUT, *PLAIN, CLOSED)
    ),
    "reached": Case(
        Reached(),
        (published(), EXITED, settled()),
        (*PLAIN, published("b"), still_queued("b"), settled()),
        None,
        Outcome.LOST,
    ),
    "reached by its first message alone": Case(
        Reached(),
        (published(), received(), *started(), retry(), *ended(raised="OSError", state="RETRY"), acked(), settled()),
        RETRIED,
        None,
        Outcome.LOST,
    ),
    "delivery of one task besides others": Case(
        Delivery(contract="at_least_once", task="shop.charge", besides=["b"], received=True),
        (*LOST, settled()),
        (*PLAIN, published("b"), received("b"), published("c"), settled()),
    ),
    "liveness of a worker whose consumer gives up": Case(
        Liveness(ids=["a"], within_s=9.0), (*CUT, *PLAIN, GIVES_UP, CLOSED), (*CUT, *PLAIN, STOPPING, GIVES_UP, EXITED)
    ),
    "signals": Case(
        Signals(), (*PLAIN, signal("task_success"), signal("task_failure")), (*PLAIN, signal("task_success"))
    ),
    "signals twice": Case(
        Signals(), (*LOST, signal("task_failure"), signal("task_failure")), (*LOST, signal("task_failure"))
    ),
    "stays_revoked": Case(
        StaysRevoked(ids=["a"]),
        (published(), received(), *attempt(), acked(), settled()),
        (published(), received(), revoked(), acked(), settled()),
        (published(), revoked(), unsettled()),
        Outcome.OK,
    ),
    "told": Case(TOLD, (*TELLS, hook("link"), *OVER), (*TELLS, *OVER), TELLS),
    "told to nobody": Case(TOLD, (*TELLS[:-1], *OVER), (*TELLS, *OVER), OVER),
    "told of an attempt twice": Case(TOLD, (*TELLS, *ended()[1:], *OVER), (*TELLS, *OVER), (*TELLS, unsettled())),
    "told of a revocation": Case(
        Told(ids=["a"], times={"task_revoked": 1}),
        (published(), *started(), *killed(), revoked(), revoked(), settled()),
        (published(), *started(), *killed(), revoked(), settled()),
    ),
    "stops": Case(Stops(), (*STOPPED[:-1], HANGS), STOPPED, PLAIN, Outcome.STUCK),
    "stops while a body runs that ends before the worker is killed": Case(
        Stops(), (*STOPPED[:-1], HANGS), STOPPED, (published(), *started(), STOPPING, HANGS, *ended())
    ),
    "stops while a body runs": Case(Stops(), (STOPPING, HANGS), STOPPED, (published(), *started(), STOPPING, HANGS)),
    "shutdown that begins what comes later": Case(
        Shutdown(),
        (STOPPING, published(), *attempt(), acked(), LEFT),
        (STOPPING, published(), LEFT, *(At(each, worker="w2") for each in attempt(pid=12)), acked()),
        PLAIN,
    ),
    "shutdown that leaves a child": Case(
        Shutdown(),
        (published(), *started(), STOPPING, LEFT, *ended()),
        (published(), *started(), STOPPING, *ended(), LEFT),
        (published(), *started(), STOPPING),
    ),
    "shutdown with a status": Case(Shutdown(status=1), STOPPED, (*STOPPED[:-1], At(LEFT, detail={"status": 1}))),
    "shutdown that waits": Case(
        Shutdown(waits=False), (published(), *started(), STOPPING, HANGS), STOPPED, None, Outcome.STUCK
    ),
    "grace": Case(
        Grace(enough=["a"], less=["b"], grace_s=600.0, limit_s=2.0),
        (published(), *started(), STOPPING, At(HARD, detail={"limit_s": 3.0}), *killed(), LEFT),
        (*ENDED_BY_LIMIT, LEFT),
        (published(), settled()),
    ),
    "grace in which no limit acts": Case(
        Grace(enough=["a"], less=["b"], grace_s=600.0, limit_s=2.0), STOPPED, (*ENDED_BY_LIMIT, LEFT)
    ),
    "grace of a worker that stays": Case(
        Grace(enough=["a"], less=["b"], grace_s=600.0, limit_s=2.0), ENDED_BY_LIMIT, (*ENDED_BY_LIMIT, LEFT)
    ),
    "grace without a limit": Case(
        Grace(enough=["a"], less=["b"]), (published(), *started(), *killed(), *attempt(number=2, pid=12)), STOPPED
    ),
    "time_limit": Case(
        TimeLimit(ids=["a"], hard_s=2.0, grace_s=0.1),
        (published(), received(), *started(), *([settled()] * 300), HARD, *killed()),
        (published(), received(), *started(), HARD, *killed()),
        (published(), settled()),
    ),
    "time_limit of a child whose worker ends later": Case(
        TimeLimit(ids=["a"], hard_s=2.0, grace_s=0.1),
        (published(), received(), *started(), HARD, *([settled()] * 300), *killed()),
        (published(), received(), *started(), HARD, CHILD_KILLED, *([settled()] * 300), *killed()),
    ),
    "time_limit not announced": Case(
        TimeLimit(ids=["a"], hard_s=2.0),
        (published(), *started(), *killed()),
        (published(), *started(), HARD, *killed()),
    ),
    "time_limit of another": Case(
        TimeLimit(ids=["a"], hard_s=150.0, scale=100.0),
        (published(), *started(), HARD, *killed()),
        (published(), *started(), event(Kind.HARD_LIMIT, "a", limit_s=1.5, child=CHILD), *killed()),
    ),
    "time_limit order": Case(
        TimeLimit(ids=["a"], soft_s=1.0, hard_s=2.0),
        (published(), *started(), HARD, SOFT, *killed()),
        (published(), *started(), SOFT, HARD, *killed()),
    ),
    "time_limit soft": Case(
        TimeLimit(ids=["a"], soft_s=1.0, soft_handled=False),
        (published(), *started(), SOFT, *ended(raised="ValueError")),
        (published(), *started(), SOFT, *ended(raised="SoftTimeLimitExceeded")),
    ),
    "time_limit soft handled": Case(
        TimeLimit(ids=["a"], soft_s=1.0, soft_handled=True),
        (published(), *started(), SOFT, *ended(raised="SoftTimeLimitExceeded")),
        (published(), *started(), SOFT, *ended()),
    ),
    "undeclared": Case(
        Undeclared(ids=["a"]), (published(),), (published(kind=Kind.PUBLISH_FAILED),), (settled(),), Outcome.STUCK
    ),
    "unknown_task": Case(
        Unknown(ids=["a"]),
        (published(), still_queued("a")),
        (published(), event(Kind.UNKNOWN_TASK, "a")),
        (published(),),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_red_on_the_fault_and_says_which(name: str) -> None:
    case = CASES[name]
    if isinstance(case.checker, Evidence):
        return  # missing evidence is unknown, never a violation
    (judged,) = check([case.checker], story(*case.red))
    assert judged.verdict is Verdict.VIOLATED, judged.reason
    assert judged.reason
    if case.outcome:
        assert judged.outcome is case.outcome


@pytest.mark.parametrize("name", CASES)
def test_it_is_silent_on_the_twin(name: str) -> None:
    (judged,) = check([CASES[name].checker], story(*CASES[name].green))
    assert judged.verdict is Verdict.HELD, judged.reason


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.unknown is not None])
def test_it_says_where_it_cannot_tell(name: str) -> None:
    (judged,) = check([CASES[name].checker], story(*(CASES[name].unknown or ())))
    assert judged.verdict is Verdict.UNKNOWN, judged.reason


@pytest.mark.parametrize("name", CASES)
def test_a_history_of_nothing_is_never_green(name: str) -> None:
    checker = CASES[name].checker
    (judged,) = check([checker], [])
    if not isinstance(checker, Leftovers):  # nothing is left of nothing
        assert judged.verdict is not Verdict.HELD, judged.reason


def test_every_checker_has_its_cases() -> None:
    assert {type(case.checker) for case in CASES.values()} == set(checkers.ALL)


def test_a_checker_that_raises_is_unknown() -> None:
    class Broken:
        def judge(self, lives: object, world: object) -> None:
            raise ZeroDivisionError("by nought")

    (judged,) = check([Broken()], story(*PLAIN))
    assert judged.verdict is Verdict.UNKNOWN
    assert "ZeroDivisionError" in judged.reason


def test_final_state_says_why_the_result_was_not_stored() -> None:
    failed = event(Kind.RESULT_FAILED, "a", state="FAILURE", error="EncodeError: SystemExit is not JSON serializable")
    history = story(published(), *attempt(raised="SystemExit"), acked(), failed, settled(), result("PENDING"))
    (judged,) = check([FinalState(ids=["a"], states=["FAILURE"])], history)
    assert judged.reason.endswith(
        "FAILURE is due; storing FAILURE failed: EncodeError: SystemExit is not JSON serializable, "
        "and the message was acknowledged"
    )


@pytest.mark.parametrize("checker", [FinalState(ids=["a"], states=["SUCCESS"]), Ledgers()])
def test_given_a_delay_that_was_scaled_then_a_retry_stored_after_the_next_attempt_proves_nothing(
    checker: Checker,
) -> None:
    def told(countdown_s: float, *, late: bool) -> Verdict:
        *begun, exited, over = attempt(raised="Transient", state="RETRY")
        again = attempt(number=2, pid=12, retries=1)
        sent = retry(countdown_s=countdown_s, scale=150.0)
        rest = (*again, over) if late else (over, *again)
        history = story(published(), *begun, exited, sent, *rest, acked(), settled(), result("RETRY"))
        return check([checker], history)[0].verdict

    assert told(60.0, late=True) is Verdict.UNKNOWN
    assert told(0.01, late=True) is Verdict.VIOLATED, "it would happen in production too"
    assert told(60.0, late=False) is Verdict.VIOLATED


def test_grace_tells_what_is_needed_and_what_less_does() -> None:
    lost = (published("b"), *started("b", pid=12), acked("b"), *killed(12, "b"))
    again = (published("c"), *started("c", pid=13), *killed(13, "c"), *attempt("c", number=2, pid=14), acked("c"))
    history = story(*ENDED_BY_LIMIT, LEFT, *lost, *again, settled())
    (judged,) = check([Grace(enough=["a"], less=["b", "c"], grace_s=600.0, limit_s=2.0, soft_s=20.0)], history)
    assert judged.verdict is Verdict.HELD
    assert "600 s" in judged.reason
    assert "with less 1 of 2 were lost and 1 of 2 ran again" in judged.reason
    assert "SIGQUIT instead needs worker_soft_shutdown_timeout, 20 s" in judged.reason


def test_what_was_revoked_and_ran_is_shown_where_nothing_promises_otherwise() -> None:
    (judged,) = check([StaysRevoked(ids=["a"], promised=False)], story(*CASES["stays_revoked"].red))
    assert (judged.verdict, judged.outcome) == (Verdict.HELD, Outcome.OK)
    assert "ran all the same, and no setting promises otherwise" in judged.reason


def test_it_says_what_was_told_too_often_and_what_not_at_all() -> None:
    history = story(*TELLS[:-1], signal("task_failure"), *OVER)
    (judged,) = check([TOLD], history)
    assert "task_failure was told once, which was not due, link was not told, 1 is due" in judged.reason


def test_given_a_worker_that_was_itself_ahead_then_only_the_next_ones_lead_over_it_is_skipped() -> None:
    def ahead(worker: str, clock_offset_s: float) -> At:
        return event(Kind.WORKER_SPAWNED, pid=1, worker=worker, clock_offset_s=clock_offset_s)

    second = [At({**each, "worker": "w2"}) for each in (received(redelivered=True), *attempt(pid=12, number=2))]
    whole = (ahead("w1", 3660.0), published(), received(), *started(), *killed(), ahead("w2", 7320.0), *second, acked())
    (judgement,) = check([Recovery(within_s=3700.0, ids=["a"])], story(*whole, settled()))
    assert judgement.verdict is Verdict.HELD, judgement.reason
    (judgement,) = check([Recovery(within_s=3500.0, ids=["a"])], story(*whole, settled()))
    assert judgement.verdict is Verdict.VIOLATED


@pytest.mark.parametrize(
    ("checker", "told"),
    [
        (Attempts(ids=["a"], most=0, parts={"a": "errback"}), "errback charge[a] ran once, and should not have run"),
        (Attempts(ids=["a"], most=0), "charge[a] ran once, and should not have run at all: attempt 1 began"),
        (Attempts(ids=["a"], least=2), "charge[a] was attempted once, 2 are due: attempt 1 began"),
        (Attempts(ids=["b"], least=1), "invocation[b] was attempted 0 times, 1 is due: none began"),
    ],
)
def test_given_attempts_that_should_not_be_then_it_says_in_words_which_and_how_often(
    checker: Attempts, told: str
) -> None:
    (judged,) = check([checker], story(*PLAIN))
    assert judged.verdict is Verdict.VIOLATED
    assert judged.reason.startswith(told)


def test_given_more_attempts_than_one_then_they_are_counted_in_the_plural() -> None:
    (judged,) = check([Attempts(ids=["a"], most=1)], story(*RECOVERED))
    assert "charge[a] was attempted 2 times, 1 is allowed" in judged.reason


def of_worker(worker: str, *events: At) -> list[At]:
    return [At({**each, "worker": worker}) for each in events]


def joined(worker: str, clock_offset_s: float) -> At:
    return event(Kind.WORKER_SPAWNED, pid=1, worker=worker, clock_offset_s=clock_offset_s)


def test_given_a_message_that_was_taken_over_twice_then_no_slack_of_the_clocks_is_in_its_recovery() -> None:
    again = (*of_worker("w2", received(redelivered=True)), *of_worker("w3", received(redelivered=True)))
    third = of_worker("w3", *attempt(pid=13, number=2), acked())
    whole = (published(), received(), *started(), *killed(), joined("w2", 660.0), joined("w3", 1320.0), *again, *third)
    (judged,) = check([Recovery(within_s=9999.0, ids=["a"])], story(*whole, settled()))
    assert judged.recovery_s == pytest.approx(1200.0, abs=1.0)


def test_given_a_worker_two_timeouts_ahead_that_took_it_over_at_once_then_one_timeout_is_told() -> None:
    third = of_worker("w3", received(redelivered=True), *attempt(pid=13, number=2), acked())
    whole = (published(), received(), *started(), *killed(), joined("w2", 660.0), joined("w3", 1320.0), *third)
    (judged,) = check([Recovery(within_s=9999.0, ids=["a"])], story(*whole, settled()))
    assert judged.recovery_s == pytest.approx(600.0, abs=1.0)


def test_given_a_worker_that_is_deaf_for_longer_than_a_run_then_its_reason_says_for_how_long() -> None:
    deaf = story(*killed(), published("b"), settled())
    (judged,) = check([Liveness(ids=["b"], within_s=1.0, deaf_for="for a week")], deaf)
    assert judged.reason.endswith("never began: the worker is deaf, in production for a week")


def test_given_one_that_never_began_beside_others_that_did_then_the_worker_is_not_called_deaf() -> None:
    heard = story(*killed(), published("b"), published("c"), *attempt("c", pid=12), settled())
    (judged,) = check([Liveness(ids=["b", "c"], within_s=1.0, deaf_for="for a week")], heard)
    assert judged.verdict is Verdict.VIOLATED
    assert judged.reason.endswith("never began: others did")
