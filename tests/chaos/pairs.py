"""For each scenario a bed on which it must turn red, and a correct twin on which it must stay green."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import celery
from beds import Bed, judged

from assay.verdict import Result, Verdict

AT_ONCE = 3  # beds: their scenarios mostly wait for Celery

SOUND = Bed()
EARLY = Bed(("early", "lost_is_no_retry"))  # reject_on_worker_lost without acks_late: it claims what it cannot keep
HASTY = Bed(("acks_at_receipt", "greedy"))
ONCE = Bed(("no_deduplication",), demand="effectively_once")
RUNS_AGAIN = Bed(("no_deduplication",))
ONCE_KEPT = Bed(demand="effectively_once")
REQUEUES = Bed(("always_requeues", "no_deduplication"), demand="effectively_once")
KEEPS_LOST = Bed(("keeps_lost", "lost_is_no_retry"))
LOOPS = Bed(("lost_is_no_retry", "no_retries_allowed"))
SLOW_SOFT = Bed(("longer_soft_at_call",))
SLOW_HARD = Bed(("longer_at_call",))
DOUBLES = Bed(("few_a_child", "host_doubles_tasks"))
BRIEF = Bed(("short_visibility", "no_deduplication"))
FEW = Bed(("few_a_child",))
STRAYS = Bed(("loses_queue",))
GREEDY = Bed(("greedy",))
LEAVES, GREEDY_LEAVES = Bed(("no_reconnect",)), Bed(("greedy", "no_reconnect"))
GIVES_UP = Bed(("gives_up_storing",))
TRUSTS, GREEDY_TRUSTS = Bed(("trusts_connections",)), Bed(("greedy", "trusts_connections"))
SOLO, THREADS = Bed(pool="solo"), Bed(pool="threads")
LIVE = Bed(live=True)
LIVE_EARLY = Bed(("early", "lost_is_no_retry"), live=True)
LIVE_LEAVES = Bed(("leaves_process",), live=True)


@dataclass(frozen=True)
class Pair:
    """`green` is None where only an app that claims nothing is right: then the scenario must not even apply to it."""

    red: Bed
    green: Bed | None = SOUND


SILENT = Bed(("no_limits",), pool="solo")
TABLE = {
    "retries.fails_then_succeeds": Pair(Bed(("never_retries",))),
    "retries.gives_up": Pair(Bed(("retries_for_ever",))),
    "retries.spacing": Pair(Bed(("retries_too_early",))),
    "retries.other_errors_fail_at_once": Pair(Bed(("all_errors_alike",))),
    "retries.killed_after_retry_sent": Pair(ONCE),
    "retries.worker_stopped_while_retry_waits": Pair(HASTY),
    "retries.worker_killed_while_retry_waits": Pair(HASTY),
    "retries.second_worker_while_it_waits": Pair(BRIEF),
    "acks_late.bystanders": Pair(EARLY),
    "acks_late.child_killed_enter": Pair(EARLY),
    "acks_late.child_killed_middle": Pair(KEEPS_LOST),
    "acks_late.child_killed_exit": Pair(EARLY),
    "acks_late.child_killed_before_result": Pair(EARLY),
    "acks_late.child_killed_after_result": Pair(REQUEUES, ONCE_KEPT),
    "acks_late.child_killed_after_trace": Pair(REQUEUES, ONCE_KEPT),
    "acks_late.main_killed_received": Pair(Bed(("queues_without_acks",))),
    "acks_late.main_killed_accepted": Pair(HASTY),
    "acks_late.main_killed_early_acked": Pair(Bed(("early",), demand="at_least_once"), EARLY),
    "acks_late.main_killed_before_ack": Pair(ONCE, ONCE_KEPT),
    "acks_late.done_is_not_run_again": Pair(Bed(("forgets_result",))),
    "acks_late.main_killed_after_ack": Pair(Bed(("forgets_result",))),
    "acks_late.main_killed_middle": Pair(HASTY),
    "acks_late.group_killed_middle": Pair(HASTY),
    "acks_late.out_of_memory_kill": Pair(KEEPS_LOST),
    "acks_late.poison_exits": Pair(LOOPS),
    "acks_late.poison_killed": Pair(LOOPS),
    "acks_late.warm_shutdown": Pair(HASTY),
    "acks_late.cold_shutdown": Pair(HASTY),
    "acks_late.soft_shutdown": Pair(HASTY),
    "acks_late.grace_period_over": Pair(HASTY),
    "acks_late.second_worker_while_it_runs": Pair(BRIEF),
    "acks_late.live_call": Pair(Bed(("body_fails",), live=True), LIVE),
    "acks_late.live_child_killed": Pair(LIVE_EARLY, LIVE),
    "acks_late.live_main_killed": Pair(Bed(("acks_at_receipt", "greedy"), live=True), LIVE),
    "acks_late.live_revoked": Pair(LIVE_LEAVES, LIVE),
    "time_limits.soft_limit_handled": Pair(SLOW_SOFT),
    "time_limits.soft_limit_not_handled": Pair(SLOW_SOFT),
    "time_limits.hard_limit": Pair(Bed(("silent_timeout",)), Bed(("redelivers_failed",))),
    "time_limits.too_slow_every_time": Pair(Bed(("redelivers_failed", "lost_is_no_retry")), None),
    "time_limits.own_limit_over_global": Pair(SLOW_HARD, Bed(("shorter_at_call",))),
    "time_limits.own_soft_limit_over_global": Pair(SLOW_SOFT, Bed(("shorter_at_call",))),
    "time_limits.limit_of_the_call": Pair(SLOW_HARD),
    "time_limits.pool_whole_again": Pair(SLOW_HARD),
    "time_limits.stubborn_body": Pair(SLOW_HARD),
    "time_limits.live_limit": Pair(LIVE_LEAVES, LIVE),
    "time_limits.limit_in_this_pool": Pair(SOLO, None),
    "time_limits.soft_limit_in_this_pool": Pair(SOLO, None),
    "recycling.memory_limit": Pair(Bed(("memory_unseen",))),
    "recycling.memory_limit_in_this_pool": Pair(THREADS, None),
    "recycling.pool_restart": Pair(THREADS),
    "recycling.exact_under_load": Pair(Bed(("host_never_recycles",))),
    "recycling.killed_while_recycled": Pair(DOUBLES, FEW),
    "recycling.large_results_at_the_boundary": Pair(DOUBLES, FEW),
    "recycling.recycling_in_this_pool": Pair(SOLO, None),
    "routing.consumed": Pair(Bed(("route_to_nowhere",))),
    "routing.own_queue": Pair(STRAYS),
    "routing.redelivery_stays": Pair(STRAYS),
    "routing.clogged_queue": Pair(STRAYS),
    "routing.no_more_ahead": Pair(Bed(("hoards",))),
    "routing.undeclared_queue": Pair(Bed(("falls_back",))),
    "routing.unknown_task": Pair(Bed(("leaves_unknown",))),
    "reconnect.cut_idle": Pair(LEAVES),
    "reconnect.cut_while_it_runs": Pair(LEAVES),
    "reconnect.cut_while_it_is_reserved": Pair(GREEDY_LEAVES, GREEDY),
    "reconnect.cut_while_it_waits": Pair(LEAVES),
    "reconnect.cut_between_links": Pair(LEAVES),
    "reconnect.reset_idle": Pair(LEAVES),
    "reconnect.reset_while_it_runs": Pair(LEAVES),
    "reconnect.reset_while_it_is_reserved": Pair(GREEDY_LEAVES, GREEDY),
    "reconnect.reset_while_it_waits": Pair(LEAVES),
    "reconnect.reset_between_links": Pair(LEAVES),
    "reconnect.black_hole_idle": Pair(TRUSTS),
    "reconnect.black_hole_while_it_runs": Pair(TRUSTS),
    "reconnect.black_hole_while_it_is_reserved": Pair(GREEDY_TRUSTS, GREEDY),
    "reconnect.black_hole_while_it_waits": Pair(TRUSTS),
    "reconnect.black_hole_between_links": Pair(TRUSTS),
    "reconnect.broker_restarted_idle": Pair(LEAVES),
    "reconnect.broker_restarted_while_it_runs": Pair(LEAVES),
    "reconnect.broker_kept_while_it_runs": Pair(LEAVES),
    "reconnect.broker_kept_while_it_is_reserved": Pair(GREEDY_LEAVES, GREEDY),
    "reconnect.broker_kept_while_it_waits": Pair(LEAVES),
    "reconnect.broker_kept_between_links": Pair(LEAVES),
    "shutdown.terminated": Pair(HASTY),
    "shutdown.terminated_twice": Pair(Bed(("second_sigterm_kills",))),
    "shutdown.interrupted": Pair(Bed(("heeds_interrupt",))),
    "shutdown.interrupted_twice": Pair(HASTY),
    "shutdown.group_terminated": Pair(KEEPS_LOST),
    "shutdown.group_quit": Pair(HASTY),
    "shutdown.main_killed_in_shutdown": Pair(HASTY),
    "shutdown.rolling_deploy": Pair(Bed(("fails_at_stop",))),
    "shutdown.grace_period": Pair(SLOW_HARD),
    "results.ends_by_itself": Pair(Bed(("calls_back_again",))),
    "results.ends_by_ignore_or_reject": Pair(Bed(("swallows_errors",))),
    "results.ends_on_request": Pair(Bed(("runs_revoked",))),
    "results.away_at_started": Pair(GIVES_UP),
    "results.away_at_success": Pair(GIVES_UP),
    "results.away_at_failure": Pair(GIVES_UP),
    "results.away_at_retry": Pair(GIVES_UP),
    "results.started_is_told": Pair(Bed(("hides_started",))),
    "results.slow_backend": Pair(Bed(("gives_up_storing", "impatient"))),
    "results.revoked_then_all_restarted": Pair(Bed(("forgets_revoked",))),
    "results.revoked_then_restarted_in_turn": Pair(Bed(("starts_alone",))),
    "canvas.chain_fails": Pair(Bed(("loses_link",))),
    "canvas.group_fails": Pair(Bed(("loses_link_error",))),
    "canvas.chord_fails": Pair(Bed(("loses_chord",))),
    "canvas.nested_fails": Pair(Bed(("loses_chord",))),
    "canvas.replaced_fails": Pair(Bed(("replaces_alone",))),
    "canvas.callbacks_after_retries": Pair(Bed(("tells_each_retry",))),
    "canvas.chain_killed_middle": Pair(EARLY),
    "canvas.chain_killed_exit": Pair(EARLY),
    "canvas.chain_killed_next_sent": Pair(ONCE),
    "canvas.chord_killed_middle": Pair(KEEPS_LOST),
    "canvas.chord_killed_after_result": Pair(Bed(("part_uncounted",))),
    "canvas.chord_killed_after_trace": Pair(REQUEUES, ONCE_KEPT),
    "canvas.nested_killed": Pair(KEEPS_LOST),
    "canvas.replaced_killed": Pair(ONCE),
    "canvas.chain_main_killed": Pair(Bed(("early",), demand="at_least_once")),
    # Celery counts no part of a chord when it deduplicates: docs/celery-findings.md
    "canvas.chord_main_killed_after_result": Pair(SOUND, RUNS_AGAIN),
    "canvas.chord_main_killed_after_trace": Pair(ONCE, ONCE_KEPT),
}
# Further bugs of the same twin: the scenarios that must find each, and the checker that says so.
FURTHER = [
    ("retries_elsewhere", "retries.spacing", "retry_policy"),
    ("sends_again", "retries.gives_up", "attempts"),
    ("swallows_errors", "retries.other_errors_fail_at_once", "final_state"),
    ("swallows_soft_limit", "time_limits.soft_limit_not_handled", "final_state"),
    ("silent_timeout", "time_limits.hard_limit", "time_limit"),
    ("hangs_at_stop", "acks_late.warm_shutdown", "stops"),
    ("deaf_after_loss", "reconnect.cut_idle", "liveness"),
    ("deaf_after_loss", "reconnect.reset_while_it_runs", "liveness"),
    ("deaf_after_loss", "reconnect.broker_restarted_idle", "liveness"),
    ("crashes_after_loss", "reconnect.reset_idle", "liveness"),
    ("strays_after_loss", "reconnect.reset_idle", "routing"),
    ("strays_after_loss", "reconnect.broker_restarted_idle", "routing"),
    ("limitless_after_loss", "reconnect.cut_idle", "time_limit"),
    ("crashes_after_loss", "reconnect.cut_while_it_waits", "liveness"),
    ("restores_twice+no_deduplication", "reconnect.cut_while_it_waits", "attempts"),
    ("restores_twice+no_deduplication+greedy", "reconnect.reset_while_it_is_reserved", "attempts"),
    ("restores_twice+no_deduplication", "reconnect.cut_while_it_runs", "attempts"),
    ("restores_twice+no_deduplication", "reconnect.cut_between_links", "attempts"),
    ("calls_back_again", "reconnect.reset_between_links", "callbacks"),
    ("restores_nothing", "reconnect.reset_while_it_waits", "delivery"),
    ("restores_nothing", "reconnect.black_hole_while_it_waits", "delivery"),
    ("restores_nothing+greedy", "reconnect.cut_while_it_is_reserved", "delivery"),
    ("acks_at_receipt", "reconnect.cut_while_it_waits", "liveness"),
    ("restores_nothing+greedy", "shutdown.terminated", "delivery"),
    ("restores_nothing+greedy", "shutdown.rolling_deploy", "delivery"),
    ("works_on_after_sigterm", "shutdown.terminated", "shutdown"),
    ("fails_at_stop", "shutdown.terminated", "shutdown"),
    ("orphans_children", "shutdown.main_killed_in_shutdown", "shutdown"),
    ("sends_again", "results.ends_by_itself", "told"),
    ("swallows_errors", "results.ends_by_itself", "final_state"),
    ("gives_up_storing", "results.away_at_success", "told"),
    ("gives_up_storing", "results.away_at_failure", "final_state"),
    ("gives_up_storing", "results.away_at_started", "delivery"),
    ("loses_link_error", "canvas.chord_fails", "callbacks"),
    ("callbacks_stray", "canvas.chain_fails", "callbacks"),
    ("counts_too_few", "canvas.chord_killed_after_trace", "order"),
]
if celery.VERSION >= (5, 7):
    FURTHER.append(("closes_twice", "reconnect.broker_kept_while_it_waits", "liveness"))
ABSENT: set[str] = {"acks_late.soft_shutdown"} if celery.VERSION < (5, 5) else set()  # it came with Celery 5.5
#: bugs in what a worker does on Redis, where messages are given back by workers; RabbitMQ gives them back itself
ON_REDIS_ONLY = {"restores_nothing", "restores_twice", "closes_twice"}
#: without heartbeats a RabbitMQ keeps a message for a connection that is gone, and does not tell which one: unknown
KEPT_BY_RABBITMQ = {
    "reconnect.black_hole_while_it_runs",
    "reconnect.black_hole_while_it_is_reserved",
    "reconnect.black_hole_while_it_waits",
    "reconnect.black_hole_between_links",
}
#: what a broker has no scenario for: no visibility timeout on RabbitMQ, no data on the embedded one
LACKING = {
    "fakeredis": {name for name in TABLE if name.startswith("reconnect.broker_kept_")},
    "redis": set[str](),
    "rabbitmq": {
        "acks_late.second_worker_while_it_runs",
        "retries.second_worker_while_it_waits",
        "reconnect.broker_kept_while_it_runs",  # it has its data anyway: broker_restarted_while_it_runs
    },
}
# Celery's own fault in these releases: the correct twin cannot mend it (docs/celery-findings.md).
CELERYS_OWN: set[str] = {"shutdown.interrupted_twice"} if celery.VERSION < (5, 5) else set()
if celery.VERSION < (5, 7):
    CELERYS_OWN |= {"canvas.nested_fails"}  # a chain's end is left without a result where a chord before it fails
EXCEPTIONS = {  # scenario: why it cannot have a pair
    **dict.fromkeys(
        (
            "acks_late.recovers_in_time",
            "acks_late.recovers_in_time_main_killed",
            "retries.no_more_than_contract",
            "routing.queue_of_contract",
            "time_limits.no_longer_than_contract",
        ),
        "only of a task with a contract: test_contracts_kept.py",
    ),
    "reconnect.broker_killed_while_publishing": "only of an app that is on RabbitMQ: test_on_rabbitmq.py",
}


class OnBroker(NamedTuple):
    """The rows of each bed, once it has been run."""

    name: str
    ran: Mapping[Bed, Future[Mapping[str, Result]]]

    def row(self, bed: Bed, scenario: str) -> Result | None:
        """None where the scenario does not apply to that bed."""
        return self.ran[bed].result().get(scenario)

    def lacks(self, scenario: str) -> bool:
        return scenario in ABSENT | LACKING[self.name]


def planted(flips: str) -> Bed:
    return Bed(tuple(flips.split("+")))


def silent(name: str) -> Bed:
    return TABLE[name].green or SILENT


@contextmanager
def run_on(broker: str, asked: Iterable[tuple[Bed, str]]) -> Iterator[OnBroker]:
    """Each bed once, with all scenarios that are asked for on it."""
    beds: dict[Bed, dict[str, None]] = {}
    for bed, scenario in asked:
        beds.setdefault(bed, {})[scenario] = None
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="bed") as executor:
        yield OnBroker(broker, {bed: executor.submit(judged, bed, tuple(beds[bed]), broker=broker) for bed in beds})
        executor.shutdown(cancel_futures=True)


def check_found(name: str, broker: OnBroker) -> None:
    bed = TABLE[name].red
    row = broker.row(bed, name)
    if broker.lacks(name):
        assert row is None
        return
    assert row is not None, f"{bed}: the scenario does not apply"
    if broker.name == "rabbitmq" and name in KEPT_BY_RABBITMQ:
        assert row.verdict is not Verdict.HELD, f"{bed}: {row.reason}"
        return
    assert row.verdict is Verdict.VIOLATED, f"{bed}: {row.verdict}: {row.reason}"
    assert row.reason
    assert row.claim


def check_silent(name: str, broker: OnBroker) -> None:
    bed = silent(name)
    row = broker.row(bed, name)
    if broker.lacks(name) or TABLE[name].green is None:
        assert row is None, "it claims nothing, so there is nothing to judge"
        return
    assert row is not None, f"{bed}: the scenario does not apply"
    due = Verdict.VIOLATED if name in CELERYS_OWN else Verdict.HELD
    assert row.verdict is due, f"{bed}: {row.verdict}: {row.reason}"
