"""AutoTest's real bodies run real scripts: `assay run --live` in server/, and none of its tasks is passed by."""

import json
from pathlib import Path

from leftovers import assay

SERVER = Path(__file__).parents[2] / "server"
SCRIPTS = ("execute_python_script", "execute_dynamic_script_task")


def test_given_a_live_call_for_each_task_when_they_run_then_scripts_and_templates_recover_from_a_kill(
    tmp_path: Path,
) -> None:
    wanted = ("--scenario", "live_call", "--scenario", "live_child_killed")
    status, said, err = assay(
        "run",
        "--live",
        *wanted,
        "--out",
        str(tmp_path / "run"),
        cwd=SERVER,
        tmp=tmp_path,
        env={"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert status == 0, f"{said}\n{err}"
    report = json.loads((tmp_path / "run/report.json").read_text())
    rows = {(row["scenario"], row["task"].rpartition(".")[2]): row for row in report["results"]}
    assert set(rows) == {
        *(("live_call", task) for task in (*SCRIPTS, "clear_old_records")),
        *(("live_child_killed", task) for task in SCRIPTS),
    }
    assert all(rows["live_child_killed", task]["landed"] == 1 for task in SCRIPTS)
    assert {row["outcome"] for (scenario, _), row in rows.items() if scenario == "live_call"} == {"ok"}


def test_given_a_fixture_that_is_not_there_then_one_sentence_says_so(tmp_path: Path) -> None:
    configuration = tmp_path / "assay.toml"
    configuration.write_text(f'app = "celery_app"\nworkdir = "{SERVER}"\nfixtures = ["no_such"]\n')
    status, _, err = assay(
        "run", "--config", str(configuration), "--out", str(tmp_path / "run"), cwd=tmp_path, tmp=tmp_path
    )
    assert status == 2
    assert "assay: loading the fixtures no_such failed: CommandError: No fixture named 'no_such' found." in err
    assert "Traceback" not in err
