"""`assay against`: a release with a known difference of behaviour shows it, and the same release is no test."""

import json
import os
from pathlib import Path

import celery
import pytest
from leftovers import assay

BARE = Path(__file__).parents[2] / "examples" / "bare"
#: 5.6.2 keeps the timers of a lost connection, so a task that waits for its time runs twice: docs/celery-releases.md
ROW = ("-A", "bare:app", "--scenario", "reconnect.cut_while_it_waits")


@pytest.mark.skipif(celery.VERSION < (5, 7), reason="with one release as the base it is shown")
def test_given_a_release_that_runs_a_task_twice_then_that_is_told_and_the_same_release_is_refused(
    tmp_path: Path,
) -> None:
    def against(version: str, *options: str) -> tuple[int, str, str]:
        env = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
        return assay("against", f"celery=={version}", *ROW, *options, cwd=BARE, tmp=tmp_path, env=env)

    out = tmp_path / "other"
    status, said, err = against("5.6.2", "--out", str(out))
    if status == 2 and "cannot be installed" in err and not os.environ.get("CI"):
        pytest.skip(f"no package index: {err}")
    assert status == 1, err
    (drift,) = json.loads((out / "compare.json").read_text())["drifts"]
    assert (drift["kind"], drift["changes"][0]["after"]) == ("newly violated", "run twice")
    assert drift["cause"].startswith(f"celery {celery.__version__} -> 5.6.2")
    assert "at-least-once -> run twice" in said

    status, said, err = against(celery.__version__, "--base", str(out / "here"), "--out", str(tmp_path / "same"))
    assert status == 2, said + err
    assert "nothing is of another version than here, so nothing would be tested" in err
