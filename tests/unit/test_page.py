"""What the report page shows, and that it is one file which no text of a task can break out of."""

import base64
import hashlib
import html
import json
import re
import zlib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from checkers.histories import acked, attempt, event, killed, published, received, result, settled, started, story
from click.testing import CliRunner
from run_on_disk import CHAOS, a_chaos_row, a_red_run, a_report_of, loaded, struck_ids, write

from assay.cli import main
from assay.cli.paging import page_of
from assay.event import Event, Kind
from assay.gating.told import Gated, Part
from assay.page import compose, recovering, tables
from assay.page.draw import scene
from assay.page.gather import gather
from assay.page.lanes import OWN_LANES, Alive, lanes
from assay.page.made import made
from assay.page.reading import Reading, read
from assay.page.render import LIMIT, fitting, links_to
from assay.page.scene import Scene
from assay.page.strings import Strings
from assay.report import Report
from assay.reports import json as report_json
from assay.verdict import Result, Verdict

HOSTILE = "</script><img src=x onerror=alert(1)>"
UP = (event(Kind.WORKER_STARTED), event(Kind.CHILD_STARTED, pid=11), event(Kind.CHILD_STARTED, pid=12))
KILLED = (*UP, published(), received(), *started(), *killed())
RECOVERED = (*KILLED, received(redelivered=True), *attempt(number=2, pid=12), acked(), result("SUCCESS"), settled())


def reading(*events: Any, most: int = 1000) -> Reading:
    return read(Path("run"), story(*events), most, {})


def drawn(*events: Any, row: Result | None = None) -> Scene:
    row = row or a_chaos_row([], task="shop.charge")
    return scene(reading(*events), [row], {}, Strings())


def data_of(page: str) -> Any:
    found = re.search(r'id="data">([^<]*)</script>', page)
    assert found
    parts = json.loads(zlib.decompress(base64.b64decode(found[1])))["parts"]
    return {
        "scenes": [part["scene"] for part in parts],
        "strings": [text for part in parts for text in part["strings"]],
    }


# -- the timeline


def test_given_a_killed_child_then_its_bar_ends_there_and_an_arrow_leads_to_the_redelivery() -> None:
    shown = drawn(*RECOVERED)
    first, second = shown.bars
    (mark,) = shown.marks
    assert (first.how, second.how) == ("killed", "done")
    assert shown.lanes[first.lane].role == "child 11"
    assert first.from_ns < first.to_ns <= mark.at_ns <= second.from_ns
    assert (mark.told, mark.kills, mark.life, mark.lane) == ("SIGKILL child, at body_middle", True, 0, first.lane)
    assert [(arrow.source, arrow.target, arrow.why) for arrow in shown.arrows] == [(0, 1, "killed")]
    assert (shown.lives[0].outcome, shown.lives[0].executed) == ("recovered", "2 attempts: killed, done")


def test_given_nothing_killed_then_there_is_no_arrow_and_no_mark() -> None:
    shown = drawn(*UP, published(), received(), *attempt(), acked(), result("SUCCESS"), settled())
    assert [bar.how for bar in shown.bars] == ["done"]
    assert (shown.arrows, shown.marks) == ([], [])


def test_attempts_at_the_same_time_in_one_process_are_in_tracks_of_their_own() -> None:
    at_once = (*started("a"), *started("b"))
    shown = drawn(*UP, published("a"), published("b"), *at_once)
    assert [bar.track for bar in sorted(shown.bars, key=lambda bar: bar.from_ns)] == [0, 1]
    assert shown.lanes[shown.bars[0].lane].tracks == 2
    assert {bar.how for bar in shown.bars} == {"open"}


def alive(number: int) -> list[Alive]:
    """Workers that follow each other, each with a main process and two children."""
    found = []
    for nth in range(number):
        times = (nth * 10, nth * 10 + 9)
        found += [Alive(100 * nth + role, f"w{nth}", "child" if role else "main", *times) for role in range(3)]
    return found


def test_few_processes_have_lanes_of_their_own_and_children_are_below_their_main() -> None:
    drawn, _, by_pid = lanes(alive(2), 0)
    assert [(lane.worker, lane.role) for lane in drawn][:2] == [("w0", "main 0"), ("w0", "child 1")]
    assert len(set(by_pid.values())) == 6


def test_many_processes_share_lanes_and_none_at_the_same_time() -> None:
    processes = alive(OWN_LANES)
    drawn, shown, _ = lanes(processes, 0)
    assert len(drawn) == 3  # they follow each other
    by_lane: dict[int, list[tuple[int, int]]] = {}
    for each in shown:
        by_lane.setdefault(each.lane, []).append((each.from_ns, each.to_ns))
    for spans in by_lane.values():
        assert all(before[1] <= after[0] for before, after in zip(sorted(spans), sorted(spans)[1:], strict=False))


# -- what is held when there is too much


def test_given_more_events_than_there_is_room_for_then_what_went_wrong_is_kept_whole() -> None:
    events = loaded(400, struck=40)
    struck = set(struck_ids(events))
    found = read(Path("run"), events, 500, {})
    kept = [each for _, each in found.events]
    assert found.total == len(events)
    assert len(kept) <= 500
    for invocation in struck:
        assert [e for e in kept if e.invocation == invocation] == [e for e in events if e.invocation == invocation]
    assert 300 < found.world.forgotten.total() < 390  # of those that went plainly some are there, between the others
    assert [events[number] for number, _ in found.events] == kept  # anchors are numbers in the whole history


def test_given_room_then_every_event_is_kept_and_nothing_is_forgotten() -> None:
    events = loaded(30)
    found = read(Path("run"), events, len(events), {})
    assert [each for _, each in found.events] == events
    assert not found.world.forgotten


def test_a_page_that_would_be_too_large_leaves_out_what_went_well_and_says_so(tmp_path: Path) -> None:
    events = loaded(300, struck=30, fate="lost")
    row = a_chaos_row(events, verdict=Verdict.VIOLATED)
    found = gather(write(tmp_path, a_report_of(row), {CHAOS: events}), a_report_of(row))
    whole = fitting(compose.page(found), found)
    limit = len(whole) - 15_000
    page = fitting(compose.page(found), found, limit=limit)
    assert len(page.encode()) <= limit
    assert "events are not in this page, which would be too large" in page
    assert "events are not in this page, which" not in whole
    (shown,) = data_of(page)["scenes"]
    lives = {life[0]: number for number, life in enumerate(shown["lives"])}
    for invocation in struck_ids(events):
        mine = [event for event in events if event.invocation == invocation]
        assert shown["lines"]["life"].count(lives[invocation]) == len(mine)


def test_ten_thousand_events_are_in_a_page_below_two_megabytes(tmp_path: Path) -> None:
    events = loaded(850)
    row = a_chaos_row(events)
    page = page_of(write(tmp_path, a_report_of(row), {CHAOS: events}), tmp_path / "report.html")
    assert len(events) >= 10_000
    assert len(data_of(page)["scenes"][0]["lines"]["kind"]) == len(events)
    assert len(page.encode()) < LIMIT


def a_wide_report(tasks: int, scenarios: int) -> Report:
    """Every task in every scenario; one of the last is the worst."""
    why = "acknowledged 2 ms after its delivery, and nobody will run it again; " * 2
    rows = [
        a_chaos_row([], f"shop.orders.tasks.number_{task}", suite="acks_late", scenario=f"killed_{at}", reason=why,
                    folder=f"cases/{task}-{at}")
        for task in range(tasks)
        for at in range(scenarios)
    ]  # fmt: skip
    rows[-1] = msgspec.structs.replace(rows[-1], verdict=Verdict.VIOLATED)
    return a_report_of(*rows)


def paged(report: Report, folder: Path) -> str:
    return html.unescape(made(write(folder, report, {}), report))


def test_a_matrix_that_has_no_room_is_cut_the_worst_stays_and_what_is_left_out_is_told(tmp_path: Path) -> None:
    page = paged(a_wide_report(300, 80), tmp_path)
    assert len(page.encode()) < LIMIT
    assert "The worst are shown. And 240 more columns, which are in report.json of the run folder" in page
    assert "is left out: report.json tells it" in page
    (head,) = re.findall(r"<caption>acks_late</caption>\n<thead><tr>(.*?)</tr>", page)
    assert "number_299" in head
    assert '<th scope="row">killed_79</th><td><span class="chip violated">' in page


def test_the_titles_of_cells_go_first_and_a_small_matrix_has_them(tmp_path: Path) -> None:
    page = paged(a_wide_report(90, 80), tmp_path / "wide")
    assert len(page.encode()) < LIMIT
    assert page.count('<th scope="row">killed_') == 80
    assert "is left out: report.json tells it" in page
    small = paged(a_wide_report(3, 8), tmp_path / "small")
    assert 'title="held: acknowledged 2 ms' in small
    assert "The worst are shown" not in small


def test_however_long_lists_and_texts_are_the_page_is_below_two_megabytes(tmp_path: Path) -> None:
    rows = [
        a_chaos_row([], f"shop.{at}", scenario="killed", fault=f"fault {at % 9}", reason=f"{at} {'long ' * 200}",
                    verdict=Verdict.UNKNOWN, folder="")
        for at in range(1500)
    ]  # fmt: skip
    page = paged(a_report_of(*rows), tmp_path)
    assert len(page.encode()) < LIMIT
    assert re.search(r"Lists end after \d+ entries and texts after \d+ characters: report.json has all", page)


def test_of_many_rows_the_worst_have_timelines_and_a_cell_without_one_opens_none(tmp_path: Path) -> None:
    histories = {f"cases/{at}": loaded(40, struck=4, seed=at) for at in range(12)}
    rows = [a_chaos_row(events, scenario=f"killed_{at}", folder=place)
            for at, (place, events) in enumerate(histories.items())]  # fmt: skip
    rows[-1] = msgspec.structs.replace(rows[-1], verdict=Verdict.VIOLATED)
    report = a_report_of(*rows)
    found = gather(write(tmp_path, report, histories), report)
    whole = fitting(compose.page(found), found)
    page = fitting(compose.page(found), found, limit=len(whole) - 12_000)
    assert len(page) < len(whole) - 12_000
    scenes = data_of(page)["scenes"]
    assert 1 < len(scenes) < 12
    assert (len(data_of(whole)["scenes"]), scenes[0]["verdict"]) == (12, "violated")
    assert {int(each) for each in re.findall(r'href="#s-(\d+)"', page)} == {*range(len(scenes))}
    assert f"{12 - len(scenes)} rows of 12 have no timeline here" in page
    assert "no timeline here" not in whole


# -- the tables


def lie_of(*events: Any) -> tuple[str, tables.Table]:
    return tables.ledgers([reading(*events)])


def test_where_the_ledgers_disagree_the_table_says_which_one_lies() -> None:
    said, table = lie_of(*RECOVERED[:-2], result("FAILURE"), settled())
    (line,) = table.lines
    assert [cell.text for cell in line.cells][1:] == [
        "delivered 2 times, acknowledged once",
        "2 attempts: killed, done",
        "FAILURE",
        "✗ the result backend lies: it says FAILURE, and a later attempt succeeded",
    ]
    assert said == "0 invocations of 1: broker, execution and result agree. 1 where they do not"


def test_a_result_of_failure_before_a_redelivery_that_succeeded_is_told_so() -> None:
    again = event(Kind.ATTEMPT_STARTED, "a", pid=12, attempt="again", retries=0, redelivered=True)
    body = event(Kind.BODY_EXITED, "a", pid=12, attempt="again")
    _, table = lie_of(*KILLED, received(redelivered=True), again, body, acked(), result("FAILURE"), settled())
    assert table.lines[0].cells[-1].text.endswith("it says FAILURE, and the redelivery succeeded")


def test_where_they_agree_the_table_is_empty() -> None:
    said, table = lie_of(*RECOVERED)
    assert table.lines == []
    assert said.startswith("1 invocation of 1: broker, execution and result agree")


def test_a_cell_of_the_heat_map_tells_what_became_of_what_was_struck_there_and_others_were_not_reached() -> None:
    table = tables.points([reading(*RECOVERED)], [[a_chaos_row([])]], {}, ["shop.charge", "shop.send_mail"])
    cells = dict(zip(table.columns, table.lines[0].cells, strict=True))
    assert (cells["body middle"].text, cells["body middle"].tone) == ("✓ recovered\n1", "held")
    assert (cells["body exit"].text, cells["body exit"].tone) == ("not\nreached", "none")
    assert {cell.tone for cell in table.lines[1].cells} == {"none"}


def test_what_is_lost_is_red_where_a_verdict_names_it_and_else_allowed() -> None:
    gone = reading(*KILLED, result("STARTED"), settled())
    for named, tone in (({"a": Verdict.VIOLATED}, "violated"), ({}, "allowed")):
        table = tables.points([gone], [[a_chaos_row([])]], named, [])
        assert [cell.tone for cell in table.lines[0].cells if cell.tone != "none"] == [tone]


def test_recovery_times_are_by_fault_and_beside_those_of_the_run_before() -> None:
    now = recovering.times_by_fault([reading(*RECOVERED)])
    assert list(now) == ["SIGKILL child"]
    (spread,) = recovering.spreads(now, {"SIGKILL child": [1.0, 3.0]})
    assert spread.times == now["SIGKILL child"]
    assert (spread.median, spread.median_before) == (now["SIGKILL child"][0], 2.0)
    assert 0 < spread.median < 0.1


def test_of_many_times_the_least_and_the_most_are_among_the_dots() -> None:
    dots = recovering.thinned([float(each) for each in range(10_000)], 400)
    assert (len(dots), dots[0], dots[-1]) == (400, 0.0, 9999.0)


# -- the file


def hostile(tmp_path: Path) -> Path:
    events = [
        Event(each.at_ns, each.kind, each.pid, each.worker, each.invocation, HOSTILE if each.task else "", each.attempt,
              {**each.detail, "error": HOSTILE})
        for each in loaded(20, struck=5, fate="lost")
    ]  # fmt: skip
    words = dict.fromkeys(("claim", "promise", "remedy", "place", "reason"), HOSTILE)
    row = a_chaos_row(events, HOSTILE, verdict=Verdict.VIOLATED, **words)
    fields = {"app": {"name": HOSTILE}, "command": HOSTILE, "redirected": [HOSTILE], "canary": HOSTILE}
    return write(tmp_path / "run", a_report_of(row, **fields), {CHAOS: events})


def test_nothing_that_a_task_says_becomes_markup(tmp_path: Path) -> None:
    run = hostile(tmp_path)
    (run / 'a"><img src=x>.txt').write_text("")
    page = page_of(run, run / "report.html")
    assert html.escape(HOSTILE).replace("&#x27;", "&#39;") in page
    assert "<img" not in page
    assert page.count("</script>") == 2
    lives = data_of(page)["scenes"][0]["lives"]
    assert {life[1] for life in lives} == {HOSTILE}  # whole, and as data only


def test_the_page_asks_the_network_for_nothing_and_runs_no_script_but_its_own(tmp_path: Path) -> None:
    page = page_of(a_red_run(tmp_path), tmp_path / "report.html")
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//|@import|url\(""", page)
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy.startswith("default-src 'none'; ")
    for tag, kind in (("script", "script-src"), ("style", "style-src")):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        allowed = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind} 'sha256-{allowed}'" in html.unescape(policy)
    assert " style=" not in page  # which the policy would refuse


def test_the_verdict_its_worth_what_to_type_next_and_the_mutants_are_there(tmp_path: Path) -> None:
    run = a_red_run(tmp_path / "run")
    page = html.unescape(page_of(run, run / "report.html"))
    assert "4 lost in 4 landed faults" in page
    assert f"replay {run}" in page
    assert "task_acks_late=True -> False" in page
    assert "1 killed of 1 that can be" in page
    assert 'href="report.json"' in page


def drifted(tmp_path: Path) -> tuple[Path, Path]:
    """A run in which the same tasks are lost that were recovered in the one before."""
    events = loaded(20, struck=5)
    held, lost = a_chaos_row(events), a_chaos_row(events, verdict=Verdict.VIOLATED, claim="task_acks_late=False")
    before = write(tmp_path / "before", a_report_of(held), {CHAOS: events})
    return before, write(tmp_path / "now", a_report_of(lost), {CHAOS: events})


def test_what_changed_since_another_run_comes_first_and_its_recovery_times_lie_over(tmp_path: Path) -> None:
    before, now = drifted(tmp_path)
    page = page_of(now, now / "report.html", before)
    (section,) = re.findall(r'aria-labelledby="changes">(.*?)</section>', page, re.DOTALL)
    assert "✗ Worse: 1 row got worse" in section
    assert "✗ newly violated" in section
    assert "shop.charge, SIGKILL child" in section
    assert "median before" in page
    assert 'class="ring"' in page
    assert page.index("What changed") < page.index('id="outcomes"')


def test_without_a_base_or_without_a_change_nothing_is_said_to_be_worse(tmp_path: Path) -> None:
    before, _ = drifted(tmp_path)
    assert "What changed" not in page_of(before, before / "report.html")
    assert "✓ Nothing got worse" in page_of(before, before / "report.html", before)


def test_of_a_gate_each_demand_is_told_with_its_verdict(tmp_path: Path) -> None:
    run = a_red_run(tmp_path)
    parts = [Part("canary", Verdict.HELD, "lost, as it must be"), Part("suites", Verdict.VIOLATED, "4 lost")]
    gated = Gated(verdict=Verdict.VIOLATED, exit_code=1, app="shop", parts=parts)
    page = made(run, report_json.read(run), gated=gated)
    (section,) = re.findall(r'aria-labelledby="gate">(.*?)</section>', page, re.DOTALL)
    assert "Exit code 1: it may not be merged as it is." in section
    assert section.index("✓ held") < section.index("✗ violated") < section.index("4 lost")
    assert 'id="gate"' not in made(run, report_json.read(run))


def test_links_lead_to_the_run_folder_from_wherever_the_page_is(tmp_path: Path) -> None:
    assert links_to(tmp_path / "run", tmp_path / "run" / "report.html") == ""
    assert links_to(tmp_path / "a run", tmp_path / "pages" / "report.html") == "../a%20run/"


# -- the command


def assay(*args: Any) -> Any:
    return CliRunner().invoke(main, ["page", *map(str, args)], prog_name="assay")


def test_the_page_is_written_into_the_run_folder_or_where_it_is_asked_for(tmp_path: Path) -> None:
    run = a_red_run(tmp_path / "run")
    assert assay(run).output.strip().endswith("run/report.html")
    assert (run / "report.html").read_text().startswith("<!doctype html>")
    assert assay(run, "--out", tmp_path / "there.html").exit_code == 0
    assert 'href="run/report.json"' in (tmp_path / "there.html").read_text()
    assert assay(run, "--out", "-").output.startswith("<!doctype html>")


def test_a_run_whose_events_are_not_there_has_a_page_that_says_so(tmp_path: Path) -> None:
    write(tmp_path, a_report_of(a_chaos_row([])), {})
    page = page_of(tmp_path, tmp_path / "report.html")
    assert "events of 1 row are not in the run folder" in page
    assert 'id="data"' not in page


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda run: (run / "report.json").write_text("{"), "report.json is damaged"),
        (
            lambda run: (run / "chaos/events/100-1.jsonl").write_text('{"at_ns":"soon"}\n'),
            "100-1.jsonl:1 is not an event",
        ),
        (lambda run: (run / "mutants.json").write_text("[]"), "mutants.json is damaged"),
    ],
)
def test_what_is_damaged_is_one_message_and_exit_code_2(tmp_path: Path, spoil: Any, said: str) -> None:
    spoil(a_red_run(tmp_path))
    found = assay(tmp_path)
    assert found.exit_code == 2
    assert said in found.output
    assert "Traceback" not in found.output


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    assert assay(tmp_path).exit_code == 2
    assert assay(a_red_run(tmp_path / "run"), "--out", tmp_path / "nowhere" / "page.html").exit_code == 2
