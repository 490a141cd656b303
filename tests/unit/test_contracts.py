"""Which contract a task has, what cannot be meant, and what reports say of it."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import msgspec
import pytest
from celery import Celery, Task, shared_task
from report_by_hand import a_lost_row, a_report
from targets import subject, task

from assay import plan, requires
from assay.checkers import Delivery, Ledgers, Signals
from assay.conclusion import Facts, conclude
from assay.contract import required
from assay.contract.agreement import agreed, hold_to
from assay.contract.breaches import breaches
from assay.contract.delivery import Contract as DeliveryContract
from assay.contract.delivery import most_attempts
from assay.contract.delivery import of as contract_of
from assay.contract.held_to import held_to
from assay.contract.terms import PARTS, Declared, Entry, Terms
from assay.errors import UsageError
from assay.inspection import describe
from assay.known import Known
from assay.report import Contract
from assay.reports.causes import causes
from assay.reports.contracts import contracts
from assay.scenario import scenarios
from assay.selection import Selection
from assay.settings import Settings, load
from assay.subject import Subject
from assay.verdict import Result, Verdict

CHARGE, MAIL = task(name="shop.charge"), task(name="shop.mail")
DOCS = Path(__file__).parents[2] / "docs"


def entry(tasks: str, place: str = "assay.toml:1", **terms: Any) -> Entry:
    return Entry((tasks,), Terms(**terms), place)


def held(*entries: Entry, own: dict[str, Any] | None = None, inherited: dict[str, Any] | None = None) -> Terms:
    said = [Declared("shop.charge", own, "assay", "shop.py:3")] * bool(own)
    said += [Declared("shop.charge", inherited, "assay", "base.py:1", inherited=True)] * bool(inherited)
    return agreed([CHARGE, MAIL], entries, said)[0].contract


# -- which one counts


@pytest.mark.parametrize("order", [1, -1])
def test_the_more_of_a_name_is_spelt_the_more_it_counts_part_by_part_and_in_any_order(order: int) -> None:
    entries = [
        entry("*", run_s=9.0, attempts=9),
        entry("shop.*", attempts=8, queue="q"),
        entry("shop.charge", queue="x"),
    ]
    assert held(*entries[::order]) == Terms(run_s=9.0, attempts=8, queue="x")


def test_what_a_task_says_itself_counts_before_its_class_and_that_before_patterns() -> None:
    pattern = entry("shop.charg?", attempts=2, run_s=2.0, queue="pattern")
    assert held(pattern, own={"attempts": 4}, inherited={"attempts": 3, "run_s": 3}) == Terms(
        attempts=4, run_s=3.0, queue="pattern"
    )


@pytest.mark.parametrize("order", [1, -1])
def test_a_whole_name_counts_as_one_though_it_reads_as_a_pattern(order: int) -> None:
    europe, plain = task(name="shop.rate[eu]"), task(name="shop.ratee")  # which the name fits as a pattern
    entries = [entry("shop.rate[[]eu]", queue="q", run_s=1.0), entry("shop.rate[eu]", queue="x")]
    of = [each.contract for each in agreed([europe, plain], [*entries, entry("shop.ratee", queue="y")][::order], [])]
    assert of == [Terms(queue="x", run_s=1.0), Terms(queue="y")]
    own = Declared(europe.name, {"attempts": 2}, "assay")
    assert agreed([europe], [entry("shop.*", attempts=9), entry("shop.rate[[]eu]", attempts=8)], [own])[0].contract == (
        Terms(attempts=2)
    )


def test_given_two_of_equal_weight_then_they_must_agree() -> None:
    same = [entry("shop.*", "a.toml:1", run_s=5.0), entry("*shop.*", "a.toml:4", run_s=5.0)]
    assert held(*same).run_s == 5.0
    with pytest.raises(
        UsageError, match=r"a\.toml:1 and a\.toml:4: the contract of shop\.charge contradicts itself: run_s"
    ):
        held(same[0], entry("*shop.*", "a.toml:4", run_s=6.0))
    with pytest.raises(UsageError, match=r"shop\.py:3: .*attempts is 3 and 4, and neither is more specific"):
        held(entry("shop.charge", attempts=3), own={"attempts": 4})


@pytest.mark.parametrize(
    "terms",
    [
        {"delivery": "at_most_once", "recovery_s": 9.0},
        {"delivery": "effectively_once", "attempts": 1},
        {"recovery_s": 9.0, "attempts": 1},
    ],
)
def test_given_what_no_app_can_keep_together_then_it_is_refused(terms: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"^assay\.toml:1: the contract of shop\.charge contradicts itself: \w+="):
        held(entry("shop.*", **terms))


def test_at_most_once_goes_with_retries_and_replaces_a_recovery_that_is_asked_for_more_generally() -> None:
    assert held(entry("shop.*", delivery="at_most_once", attempts=5)).attempts == 5
    general = entry("*", recovery_s=9.0)
    assert held(general, own={"delivery": "at_most_once"}) == Terms(delivery="at_most_once")
    with pytest.raises(UsageError, match="contradicts itself"):  # but no delivery is dropped
        held(entry("*", delivery="at_most_once"), own={"recovery_s": 9})


def test_given_no_such_task_then_the_nearest_is_named() -> None:
    with pytest.raises(
        UsageError, match=r"^assay\.toml:1: contract: no task is named shop\.chrage; did you mean shop\.charge"
    ):
        held(entry("shop.chrage", attempts=3))
    with pytest.raises(UsageError, match=r"^shop\.py:9: @requires is at what no task of the app is made of"):
        agreed([CHARGE], [], [Declared("", {"attempts": 3}, "@requires", "shop.py:9")])


def test_the_key_delivery_is_for_those_that_say_none_and_is_not_contradicted() -> None:
    here = Path()
    app = subject(task(name="a"), task(name="b"), broker_scheme="redis")
    only_b = (entry("b", delivery="at_most_once"),)
    hold_to(app, Settings(app="x", workdir=here, out=here, delivery="at_least_once", contract=only_b))
    of = [contract_of(each, app, app.demanded, child_lost=True) for each in app.tasks]
    assert [(each.delivery, each.setting) for each in of] == [
        ("at_least_once", "delivery=at_least_once"),
        ("at_most_once", "contract delivery=at_most_once"),
    ]
    assert app.place_of(of[1].setting, app.tasks[1]) == "assay.toml:1"
    only_a = (entry("a", attempts=1),)
    once = Settings(app="x", workdir=here, out=here, delivery="at_least_once", contract=only_a)
    with pytest.raises(UsageError, match='contradicts delivery = "at_least_once", which is for all tasks: attempts=1'):
        hold_to(app, once)


# -- how it is written


def loaded(folder: Path, text: str, name: str = "assay.toml") -> Settings:
    (folder / name).write_text(text, encoding="utf-8")
    return load({}, cwd=folder)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[contract]\ntasks = "x"', "contract must be a list of tables: [[contract]], or [[tool.assay.contract]]"),
        ("[[contract]]\nrun_s = 3", "contract[0]: tasks must be a pattern over task names"),
        ('[[contract]]\ntasks = "x"', "contract[0] requires nothing: give it one of delivery, recovery_s"),
        ('[[contract]]\ntasks = "x"\nrecovery = 3', "contract[0]: unknown key recovery; did you mean recovery_s?"),
        ('[[contract]]\ntasks = "x"\nrun_s = "3m"', "contract[0]: run_s: expected float, got str"),
        ('[[contract]]\ntasks = "x"\nrun_s = -1', "contract[0]: run_s: expected `float` > 0".replace("`", "")),
        ('[[contract]]\ntasks = "x"\nattempts = 2.5', "contract[0]: attempts: expected int, got float"),
        (
            '[[contract]]\ntasks = "x"\ndelivery = "atleast_once"',
            "there is no atleast_once; did you mean at_least_once?",
        ),
    ],
)
def test_a_contract_that_cannot_be_meant_is_told_in_one_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UsageError) as error:
        loaded(tmp_path, text)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_each_table_is_told_by_its_line(tmp_path: Path) -> None:
    table = "[[tool.assay.contract]]\ntasks = 'a'\nrun_s = 1\n"
    text = f"[tool.assay]\napp = 'x'\n{table}\n{table}"
    settings = loaded(tmp_path, text, "pyproject.toml")
    assert [each.place for each in settings.contract] == ["pyproject.toml:3", "pyproject.toml:7"]
    inline = 'contract = [{ tasks = "a", run_s = 1 }]'
    assert [each.place for each in loaded(tmp_path, inline).contract] == ["assay.toml"]


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(required, "NOTED", [])


@pytest.mark.usefixtures("noted")
def test_an_app_says_it_at_a_task_in_each_way_and_is_not_evaluated_by_that() -> None:
    app = Celery("shop", broker="redis://", set_as_current=True)

    class Money(Task):  # type: ignore[type-arg]
        assay = {"queue": "money", "attempts": 3}

    @app.task(name="below", bind=True, autoretry_for=(OSError,))
    @requires(run_s=1)
    def below(self: Any) -> None: ...

    @requires(run_s=2)
    @app.task(name="above")
    def above() -> None: ...

    @requires(run_s=3)
    @shared_task(name="shared", assay={"importance": 2})
    def shared() -> None: ...

    @app.task(name="built", base=Money, assay={"attempts": 4})
    def built() -> None: ...

    assert not app.finalized
    described = describe(app, "shop:app", str(Path(__file__).parent))
    tasks = {each.name: each for each in agreed(described.tasks, [], described.declared)}
    assert {name: each.contract for name, each in tasks.items() if each.contract != Terms()} == {
        "below": Terms(run_s=1.0),
        "above": Terms(run_s=2.0),
        "shared": Terms(run_s=3.0, importance=2),
        "built": Terms(queue="money", attempts=4),
    }
    line = 1 + Path(__file__).read_text().splitlines().index("    class Money(Task):  # type: ignore[type-arg]")
    assert tasks["built"].contract_at["queue"] == f"{Path(__file__).name}:{line}"
    assert re.fullmatch(r"test_contracts\.py:\d+", tasks["above"].contract_at["run_s"])


@pytest.mark.usefixtures("noted")
def test_given_a_decorator_below_one_that_hides_the_function_then_it_is_not_silently_lost() -> None:
    app = Celery("shop", set_as_current=False)

    def hides(function: Any) -> Any:
        def wrapped() -> None:
            function()

        return wrapped

    @app.task(name="hidden", shared=False)
    @hides
    @requires(run_s=1)
    def hidden() -> None: ...

    described = describe(app, "shop:app", "/nowhere")
    with pytest.raises(UsageError, match="@requires is at what no task of the app is made of"):
        agreed(described.tasks, [], described.declared)


def test_given_an_attribute_that_is_no_contract_then_it_is_refused_by_its_place() -> None:
    refused: list[tuple[Any, str]] = [
        ("yes", "must be a table"),
        ({"run": 3}, "unknown key run; did you mean run_s"),
        ({"run_s": "{1}"}, "run_s: expected float, got str"),
    ]
    for values, told in refused:
        with pytest.raises(UsageError, match=rf"^shop\.py:3: assay of shop\.charge.*{told}"):
            agreed([CHARGE], [], [Declared("shop.charge", values, "assay", "shop.py:3")])


def shop(**options: Any) -> Subject:
    """As described, of one task that has these options."""
    app = Celery("shop", broker="redis://", set_as_current=False)

    @app.task(name="shop.charge", shared=False, **options)
    def charge() -> None: ...

    return describe(app, "shop:app", str(Path(__file__).parent))


def contract_in(described: Subject) -> Terms:
    tasks = agreed(described.tasks, [], described.declared)
    return next(each.contract for each in tasks if each.name == "shop.charge")


@pytest.mark.usefixtures("noted")
def test_given_an_attribute_of_somebody_elses_then_it_is_passed_over_and_a_table_beside_it_is_not() -> None:
    class Lab(Task):  # type: ignore[type-arg]
        def assay(self, sample: str) -> str:
            return sample

    class Measured(Task):  # type: ignore[type-arg]
        assay = property(lambda self: {"attempts": 3})

    for foreign in (Lab, Measured):
        assert contract_in(shop(base=foreign)) == Terms()
        assert contract_in(shop(base=foreign, assay={"attempts": 4})) == Terms(attempts=4)
    for value in (len, Lab, object(), None):
        assert contract_in(shop(assay=value)) == Terms()


@pytest.mark.usefixtures("noted")
def test_given_a_table_that_no_file_could_have_then_it_is_told_by_its_key() -> None:
    ring: dict[str, Any] = {}
    ring["run_s"] = ring
    for values, told in (
        ({("a", 1): 2}, r"unknown key \('a', 1\); known are delivery"),
        ({"run_s": {("a", 1): 2}}, "run_s: expected float, got str"),
        (ring, "run_s: expected float, got str"),
        ("at_least_once", "must be a table"),
    ):
        described = shop(assay=values)
        with pytest.raises(UsageError, match=rf"assay of shop\.charge.*{told}"):
            contract_in(described)


@pytest.mark.usefixtures("noted")
def test_given_a_class_with_a_contract_that_no_task_here_is_built_on_then_it_is_told_and_ends_nothing() -> None:
    @requires(run_s=60)
    class Shared(Task):  # type: ignore[type-arg]
        abstract = True

    unused = shop()
    assert contract_in(unused) == Terms()
    (told,) = unused.warnings
    assert re.fullmatch(r"test_contracts\.py:\d+: @requires is at a class that no task of this app .*", told)
    used = shop(base=Shared)
    assert (contract_in(used), used.warnings) == (Terms(run_s=60.0), [])


def test_the_decorator_imports_nothing_that_production_would_have_to_have() -> None:
    there = "name for name in sys.modules if name.partition('.')[0] in sys.argv"
    code = f"import sys; from assay import requires; print(*({there}))"
    heavy = ["assay", "celery", "click", "kombu", "msgspec", "psutil", "rich"]
    found = subprocess.run([sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True).stdout
    assert sorted(found.split()) == ["assay", "assay.contract", "assay.contract.required"]


# -- what it does


def contracted(name: str, **terms: Any) -> Any:
    return task(name=name, contract=Terms(**terms), contract_at=dict.fromkeys(terms, "assay.toml:7"))


def test_tasks_with_different_contracts_stand_for_themselves_the_most_important_first() -> None:
    names = ["a", "b", "c", "d"]
    tasks = [task(name="a"), task(name="b"), contracted("c", run_s=3.0), contracted("d", importance=2)]
    settings = Settings(app="x", workdir=Path(), out=Path())
    assert plan.members(settings, subject(*tasks), Selection()) == {"d": ["d"], "a": ["a", "b"], "c": ["c"]}
    assert task(name="a").profile() == msgspec.structs.replace(tasks[0], contract_at={"x": "y"}).profile()
    assert [each.name for each in tasks] == names


def test_a_bound_on_attempts_takes_the_place_of_the_spare_ones() -> None:
    assert most_attempts(task(max_retries=3)) == 10
    assert most_attempts(contracted("a", attempts=4)) == 4


@pytest.mark.parametrize(
    "scenario",
    [
        "acks_late.main_killed_middle",
        "acks_late.child_killed_after_trace",
        "acks_late.cold_shutdown",
        "acks_late.grace_period_over",
        "acks_late.out_of_memory_kill",
        "shutdown.group_quit",
        "shutdown.main_killed_in_shutdown",
    ],
)
def test_given_a_delivery_that_allows_a_loss_then_what_results_and_signals_say_of_one_is_no_breach(
    scenario: str,
) -> None:
    def checked(delivery: Any) -> set[type]:
        stage = MagicMock()
        stage.task.expires = None
        stage.contract.return_value = DeliveryContract(delivery, "claim", "promise")
        scenarios()[scenario].act(stage)
        return {type(checker) for call in stage.check.call_args_list for checker in call.args}

    for allows in ("at_most_once", "any"):
        assert Delivery in checked(allows)
        assert not {Ledgers, Signals} & checked(allows)
    for again in ("at_least_once", "effectively_once"):
        assert {Delivery, Ledgers} <= checked(again)


REDIS: dict[str, Any] = {"broker_scheme": "redis", "visibility_timeout": 700.0}


@pytest.mark.parametrize(
    ("terms", "broken", "kept", "told"),
    [
        ({"run_s": 60.0}, {"time_limit": 61.0}, {"time_limit": 60.0}, "its hard limit is 61 s"),
        ({"run_s": 60.0}, {"soft_time_limit": 9.0}, {"time_limit": 9.0}, "soft limit of 9 s ends no body that goes on"),
        ({"attempts": 3}, {"autoretry_for": ("X",)}, {"autoretry_for": ("X",), "max_retries": 2}, "max_retries=3 is 4"),
        ({"attempts": 3}, {"autoretry_for": ("X",), "max_retries": None}, {}, "it retries without end"),
        ({"queue": "money"}, {}, {"queue": "money"}, "it goes to queue celery, and no task goes to money"),
        ({"recovery_s": 600.0}, {"acks_late": True}, {}, "comes back after its visibility_timeout, 700 s"),
    ],
)
def test_what_cannot_be_kept_is_seen_without_a_run(
    terms: dict[str, Any], broken: dict[str, Any], kept: dict[str, Any], told: str
) -> None:
    def seen(options: dict[str, Any], pool: str = "prefork") -> list[str]:
        return [each.observed for each in breaches(subject(task(contract=Terms(**terms), **options), **REDIS), pool)]

    (observed,) = seen(broken)
    assert told in observed
    assert seen(kept) == []
    if "run_s" in terms:
        assert "pool solo ignores time limits" in seen(kept, "solo")[0]


def test_what_would_keep_it_is_named_as_the_app_can_take_it() -> None:
    app = subject(task(contract=Terms(queue="money")), spelling={"task_routes": "CELERY_ROUTES"})
    assert [each.remedy for each in breaches(app, "prefork")] == ["route the task to money in CELERY_ROUTES"]


def facts(app: Subject, **changes: Any) -> Facts:
    usual = {"broker": "fakeredis", "broker_version": "", "pool": "prefork", "cold": False, "live": False}
    members = {each.name: [each.name] for each in app.tasks}
    return Facts(subject=app, members=members, **{**usual, **changes})


def ran(verdict: Verdict) -> Result:
    claim = "contract run_s=60"
    return Result(
        suite="time_limits", scenario="x", task="a", members=["a"], fault="too slow", claim=claim, verdict=verdict
    )


def test_given_what_cannot_be_kept_then_it_counts_unless_a_row_has_told_or_the_team_accepts_it() -> None:
    slow = subject(contracted("a", run_s=60.0))
    held_elsewhere = Result(suite="s", scenario="x", task="a", fault="none", verdict=Verdict.HELD)
    report = conclude(facts(slow), [held_elsewhere])
    assert report.exit_code == 1
    assert [(each.setting, each.place, each.tasks) for each in report.claims] == [
        ("contract run_s=60", "assay.toml:7", ["a"])
    ]
    assert conclude(facts(slow), [ran(Verdict.HELD)]).exit_code == 0
    assert conclude(facts(slow), [ran(Verdict.UNKNOWN)]).exit_code == 1
    accepted = Known(rule="not_of_its_contract", reason="soon mended", upstream="us")
    assert conclude(facts(slow, known=[accepted]), [held_elsewhere]).exit_code == 0
    other = Known(rule="unread", reason="of another rule", upstream="us")
    assert conclude(facts(slow, known=[other]), [held_elsewhere]).exit_code == 1


def test_a_report_says_what_was_demanded_where_and_what_is_inferred_from_what() -> None:
    late = task(name="a", acks_late=True, time_limit=600.0, autoretry_for=("X",))
    early = contracted("b", delivery="at_most_once", run_s=60.0)
    rejects = task(name="c", reject_on_worker_lost=True)
    app = subject(late, early, rejects)
    report = a_report(contracts=held_to(app, {each.name: [each.name] for each in app.tasks}, "inferred"))
    assert contracts(report) == [
        "a: inferred: delivery at least once (task_acks_late), at most 4 attempts (max_retries=3), a run of 600 s at "
        "most (time_limit), queue celery",
        "b: demanded: delivery at most once, a run of 60 s at most (assay.toml:7); inferred: queue celery",
        "c: inferred: delivery any (at_least_once where a child alone is lost, by task_reject_on_worker_lost), queue "
        "celery",
    ]
    (demanded,) = held_to(subject(late, demanded_at="assay.toml:2"), {"a": ["a"]}, "effectively_once")
    asked = demanded.parts[0]
    assert (asked.value, asked.demanded, asked.place) == ("effectively_once", True, "assay.toml:2")
    assert contracts(a_report(contracts=[demanded]))[0].startswith(
        "a: demanded: delivery effectively once (by a chaos run, of all tasks, assay.toml:2); inferred: at most 4 "
    )


def test_what_is_red_of_the_most_important_task_comes_first() -> None:
    rows = [
        a_lost_row(task="mail", claim="x"),
        a_lost_row(task="mail", claim="x"),
        a_lost_row(task="charge", claim="y"),
    ]
    assert [each.setting for each in causes(a_report(*rows))] == ["x", "y"]
    first = [Contract(task="charge", importance=1), Contract(task="mail")]
    assert [each.setting for each in causes(a_report(*rows, contracts=first))] == ["y", "x"]


# -- the page


def test_the_page_names_every_part_and_what_it_shows_is_read(tmp_path: Path) -> None:
    page = (DOCS / "contracts.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \| ", page, flags=re.MULTILINE) == list(PARTS)
    toml = re.search(r"```toml\n(.*?)```", page, re.DOTALL)
    assert toml
    given = loaded(tmp_path, toml[1]).contract
    blocks = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    (tmp_path / "shown.py").write_text("\n".join(blocks))
    (tmp_path / "look.py").write_text(
        "import shown, msgspec, sys; from assay.inspection import describe\n"
        "sys.stdout.buffer.write(msgspec.json.encode(describe(shown.app, 'shown:app', '.')))\n"
    )
    told = subprocess.run([sys.executable, "look.py"], cwd=tmp_path, capture_output=True, check=True).stdout
    shop = msgspec.json.decode(told, type=Subject)
    names = {each.name: each for each in agreed(shop.tasks, given[:1], shop.declared)}
    assert names["shop.charge"].contract == Terms(
        delivery="effectively_once", queue="money", recovery_s=4000.0, attempts=5
    )
    assert names["shop.mail"].contract == Terms(delivery="at_most_once", attempts=5)
    assert names["shop.export"].contract == Terms(delivery="at_least_once", run_s=600.0, attempts=3)
    assert (given[1].tasks, given[1].terms.importance) == (("shop.charge", "shop.refund"), 10)
