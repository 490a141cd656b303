"""The script of a chaos run is a file that is read as it was written, and refused with the place where it is wrong."""

from pathlib import Path

import msgspec
import pytest

from assay.chaos.script import ChaosScript, Strike, Workload, read, write
from assay.errors import UsageError
from assay.event import Point

WORKLOAD = Workload(tasks=("shop.charge", "shop.mail"), number=9)
SCRIPT = ChaosScript(
    seed=7,
    workload=WORKLOAD,
    faults=(
        Strike(fault="SIGKILL child", invocation=3, point=Point.AFTER_TRACE, attempt=2),
        Strike(fault="SIGSTOP", invocation=9, point=Point.BODY_ENTER, lasts_s=0.5),
        Strike(fault="SIGTERM", task="shop.mail", nth=7, point=Point.BODY_EXIT),
    ),
)


@pytest.mark.parametrize(
    "script",
    [
        SCRIPT,
        ChaosScript(seed=-1, workload=WORKLOAD),
        msgspec.structs.replace(SCRIPT, workload=msgspec.structs.replace(WORKLOAD, only=(3, 9)), workers=1),
    ],
)
def test_what_is_written_is_read(script: ChaosScript, tmp_path: Path) -> None:
    write(script, tmp_path / "chaos.toml")
    assert read(tmp_path / "chaos.toml") == script


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("seed = 7", 'seed = "seven"', r"Expected `int`, got `str` - at `\$.seed`"),
        ("seed = 7", "seed = ", "is no script of a chaos run: Invalid value"),
        ("[workload]", "[workloads]", "unknown field `workloads`|missing required field `workload`"),
        ("SIGKILL child", "SIGKILL chidl", "there is no fault SIGKILL chidl; did you mean SIGKILL child"),
        (
            '"after_trace"',
            '"after_lunch"',
            "value 'after_lunch'.*; did you mean after_ack",
        ),
        ('"after_trace"', '"xyz"', "there are received, accepted, "),
        ('"body_enter"', '"after_trace"', "SIGSTOP cannot strike at after_trace; it can at body_enter, body_middle"),
        ("invocation = 9", "invocation = 10", "SIGSTOP strikes invocation 10, which is not published"),
        ("nth = 7", "nth = 0", r">= 1 - at `\$.faults\[2\].nth`"),
        ("nth = 7", "nth = 7\ninvocation = 3", "SIGTERM strikes either an invocation .*, or the nth attempt of a task"),
        ("nth = 7", "nth = 7\nattempt = 1", "SIGTERM strikes either an invocation"),
        ("nth = 7", "", "SIGTERM strikes either an invocation"),
        ('task = "shop.mail"\nnth = 7', "", "SIGTERM strikes either an invocation"),
        ("invocation = 9", 'invocation = 9\ntask = "shop.mail"', "SIGSTOP strikes either an invocation"),
        (
            'task = "shop.mail"',
            'task = "shop.male"',
            "aimed at shop.male, no task of the workload; did you mean shop",
        ),
        ("workers = 2", "workers = 0", r">= 1 - at `\$.workers`"),
        ('tasks = ["shop.charge","shop.mail"]', "tasks = []", r"length >= 1 - at `\$.workload.tasks`"),
        ("number = 9", "number = 99999999999", r"<= 10000000 - at `\$.workload.number`"),
        ("work_s = 0.01", "work_s = nan", r"at `\$.workload.work_s`"),
        ("work_s = 0.01", "work_s = -1.0", r">= 0.0 - at `\$.workload.work_s`"),
        ("attempt = 2", "attempt = 0", r">= 1 - at `\$.faults\[0\].attempt`"),
        ("lasts_s = 0.5", "lasts_s = -0.5", r">= 0.0 - at `\$.faults\[1\].lasts_s`"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(before: str, after: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "chaos.toml"
    write(SCRIPT, path)
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    with pytest.raises(UsageError, match=said) as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_where_there_is_none_the_remedy_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name a run folder of `assay chaos`"):
        read(tmp_path / "chaos.toml")
