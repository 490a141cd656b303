"""Success rate, median and 95th percentile, and the charts that show them."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

from myapp.web import charts, stats
from myapp.web.stats import Run
from myapp.web.templatetags.autotest import breakable, percent, seconds

NOON = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)


def run(status="succeeded", duration_s=1.0, *, task="t", queue="q", minutes_ago=0):
    return Run(task, queue, status, duration_s, NOON - timedelta(minutes=minutes_ago))


def test_the_rate_counts_only_what_ended_by_itself():
    runs = [run(), run(), run("failed"), run("cancelled"), run("running", None)]
    whole = stats.summary(runs)
    assert whole.count == 5
    assert whole.success_rate == 2 / 3


def test_nothing_ended_has_no_rate_and_no_duration():
    whole = stats.summary([run("running", None)])
    assert (whole.success_rate, whole.median_s, whole.p95_s) == (None, None, None)


def test_quantiles_are_durations_that_were_measured():
    whole = stats.summary([run(duration_s=float(n)) for n in range(1, 21)])
    assert whole.median_s == 10.0
    assert whole.p95_s == 19.0


def test_the_busiest_group_comes_first():
    groups = stats.by(lambda each: each.task, [run(task="a"), run(task="b"), run(task="b")])
    assert [(group.name, group.count) for group in groups] == [("b", 2), ("a", 1)]


def test_every_hour_is_there_the_running_one_last():
    hours = stats.by_hour([run(minutes_ago=0), run(minutes_ago=61)], NOON)
    assert len(hours) == 24
    assert [group.count for _, group in hours[-3:]] == [0, 1, 1]


def test_one_failure_in_a_thousand_shows():
    assert percent(999 / 1000) == "99.9 %"
    assert percent(9999 / 10000) == "99.9 %"
    assert percent(1.0) == "100 %"
    assert percent(None) == "–"


def test_durations_read_as_people_say_them():
    assert [seconds(s) for s in (0.42, 12.34, 99.99, 3599.6, 7800)] == [
        "0.42 s",
        "12.3 s",
        "1 min 40 s",
        "1 h 00 min",
        "2 h 10 min",
    ]


def test_charts_are_well_formed_and_escape_their_words():
    evil = '<script>alert("x")</script>'
    drawings = [
        charts.bars([charts.Bar(evil, evil, 3, 1, 1)], evil),
        charts.rate(0.5, evil),
        charts.spark([1.0, 2.0], evil),
    ]
    for drawing in drawings:
        assert "<script" not in drawing
        assert ElementTree.fromstring(drawing).attrib["aria-label"] == evil


def test_a_dotted_name_breaks_after_its_dots_and_is_escaped():
    assert breakable("a.b_<i>") == "a.<wbr>b_<wbr>&lt;i&gt;"
