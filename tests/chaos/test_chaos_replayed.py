"""A red chaos run is replayed, made smaller, and written as a test."""

import subprocess
import sys
from pathlib import Path

from beds import APPS
from campaigns import FAULTS, LOSES, chaos
from leftovers import assay


def test_a_red_run_is_replayed_made_smaller_and_its_test_is_red_until_the_app_is_mended(tmp_path: Path) -> None:
    assert chaos(tmp_path, "--faults", FAULTS, "--tasks", "60", flips=LOSES)[0] == 1
    folder, tests = str(tmp_path / "run"), tmp_path / "reliability"

    def again(*arguments: str, out: str) -> tuple[int, str, str]:
        env = {"ASSAY_TEST_FLIP": LOSES}
        return assay(*arguments, "--out", str(tmp_path / out), cwd=APPS, tmp=tmp_path, env=env)

    status, said, err = again("replay", folder, "--times", "2", out="again")
    assert status == 1, err
    assert "REPRODUCED 2 of 2" in said
    status, said, err = again("shrink", folder, "--tests", str(tests), out="small")
    assert status == 1, err
    assert "to 1, from 60 invocations to 1" in said
    (test,) = tests.iterdir()
    assert passes(test, flips=LOSES) == 1
    assert passes(test, flips="") == 0


def passes(test: Path, *, flips: str) -> int:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--assay-workdir={APPS}", str(test)]
    run = subprocess.run(
        command,
        cwd=test.parent,
        env={"PATH": "/usr/bin:/bin", "ASSAY_TEST_FLIP": flips},
        capture_output=True,
        text=True,
    )
    assert run.returncode in (0, 1), run.stdout + run.stderr
    return run.returncode
