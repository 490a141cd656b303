"""The test that a shrunk script becomes: it stays in the project, and reads like a sentence."""

import hashlib
import keyword
import os
from pathlib import Path

import msgspec

from assay.chaos.draw import Job
from assay.chaos.script import ChaosScript
from assay.conclusion import Facts
from assay.errors import UsageError
from assay.fault import BURSTS, named
from assay.verdict import Result, Verdict


def write_test(
    small: ChaosScript, before: ChaosScript, row: Result, facts: Facts, red: int, times: int, folder: Path
) -> Path:
    """Written to `folder`; its name has a hash of the script, so that each cause has one."""
    _must_be_writable_as_a_test(small, row)
    text = rendered(small, before, row, facts, red, times)
    short = hashlib.sha256(msgspec.json.encode(small)).hexdigest()[:8]
    path = folder / f"test_regress_{short}.py"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
    return path


def writable(folder: Path) -> None:
    """Raises UsageError before the minutes of a search, rather than after them."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}") from None
    if not os.access(folder, os.W_OK):
        raise UsageError(f"{folder} cannot be written: permission denied")


def _must_be_writable_as_a_test(small: ChaosScript, row: Result) -> None:
    if not _question(row):
        raise UsageError(
            f"what {row.scenario} asks ({_broken(row)}) is no question of one invocation, which a test could ask: "
            "its script is kept, and can be replayed"
        )
    for strike in small.aimed:
        raise UsageError(
            f"{strike.fault} waits for attempt {strike.nth} of {strike.task}, whichever invocation that is of, and a "
            "test names the one that it strikes: its script is kept, and can be replayed"
        )
    for number, strikes in small.strikes().items():
        if len(strikes) > 1 or strikes[0].attempt != 1:
            raise UsageError(
                f"invocation {number} is struck in a later attempt or more than once, which a test cannot say: "
                "its script is kept, and can be replayed"
            )


def rendered(small: ChaosScript, before: ChaosScript, row: Result, facts: Facts, red: int, times: int) -> str:
    strikes = small.strikes()
    jobs = [Job(small, facts.subject, number, strikes.get(number, [])) for number in small.workload.numbers]
    names = _names(jobs)
    faults = " and ".join(dict.fromkeys(strike.fault for strike in small.faults))
    outcome = row.outcome if _question(row) != "FinalState" else None
    broken = str(outcome or "violated")
    lines = [
        f'"""{row.task} was {broken}: {faults}.',
        "",
        f"Found by `assay chaos`, seed {small.seed}; made smaller from {len(before.faults)} faults to"
        f" {len(small.faults)}, from {len(before.workload.numbers)} invocations to {len(small.workload.numbers)}.",
        f"It was red in {red} of {times} runs.",
        '"""',
        "",
        "import pytest",
        f"from assay.checkers import {_question(row)}",
        "from assay.script import Act",
        "",
        "",
        f'@pytest.mark.assay(app="{facts.subject.app}")',
        f"def test_{_title(row.task)}_is_not_{_word(broken)}_by_{_word(faults)}(assay_cluster):",
    ]
    for _ in range(small.workers):
        lines.append(f"    assay_cluster.start_worker(concurrency={small.concurrency})")
    for job in jobs:
        acts = "".join(f", {_act(act)}" for act in job.script.acts)
        points = [f'"{strike.point}"' for strike in job.strikes.values()]
        hold = f", hold={points[0]}" if points else ""
        payload = f', args=["x" * {job.payload}]' if job.payload else ""
        lines.append(f'    {names[job.number]} = assay_cluster.send("{job.task}"{acts}{hold}{payload})')
    for job in jobs:
        for strike in job.strikes.values():
            lasts = f", lasts_s={strike.lasts_s}" if strike.lasts_s else ""
            lines.append(f'    assay_cluster.strike({names[job.number]}, "{strike.fault}", "{strike.point}"{lasts})')
    ids = f"[{', '.join(names.values())}]"
    lines += ["    assay_cluster.recover()", f"    assay_cluster.check({_checker(row, facts, ids)})", ""]
    text = "\n".join(lines)
    return text if "Act(" in text.partition("def ")[2] else text.replace("from assay.script import Act\n", "")


def _broken(row: Result) -> str:
    """The checker that made it red."""
    return next((each.checker for each in row.judgements if each.verdict is Verdict.VIOLATED), "")


def _question(row: Result) -> str:
    """What a test can ask so that it is red where the row is, and else nothing."""
    questions = {
        "attempts": "Attempts",
        "delivery": "Delivery",
        "final_state": "FinalState",
        "reached": "Reached",
        "stops": "Stops",
    }
    return questions.get(_broken(row), "")


def _checker(row: Result, facts: Facts, ids: str) -> str:
    """The question of the red row."""
    match _question(row):
        case "Attempts":
            return f"Attempts(ids={ids}, most={facts.subject.task(row.task).contract.attempts})"
        case "Stops" | "Reached" as alone:
            return f"{alone}()"
        case "FinalState":
            return f'FinalState(ids={ids}, states=["SUCCESS"])'
    contract = facts.subject.task(row.task).contract.delivery or facts.demanded
    if row.fault in BURSTS:  # which is not about what the test has sent itself
        return f'Delivery(contract="{contract}", task="{row.task}")'
    return f'Delivery(contract="{contract}", ids={ids})'


def _names(jobs: list[Job]) -> dict[int, str]:
    """A variable for each: `charge`, or `charge_7` where several are of one task."""
    titles = [_title(job.task) for job in jobs]
    return {
        job.number: title if titles.count(title) == 1 else f"{title}_{job.number}"
        for job, title in zip(jobs, titles, strict=True)
    }


def _title(task: str) -> str:
    word = _word(task.rpartition(".")[2])
    taken = keyword.iskeyword(word) or not word.isidentifier() or word in ("pytest", "assay_cluster")
    return f"task_{word}" if taken else word


def _word(text: str) -> str:
    return named(text).replace("-", "_")


def _act(act: object) -> str:
    """Without what is as usual: a body that returns at once is `Act()`."""
    return f"Act({', '.join(f'{key}={value!r}' for key, value in msgspec.to_builtins(act).items())})"
