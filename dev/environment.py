"""Makes this checkout's own Python environment, `.venv`, with nothing but a Python that has the standard library.

Debian's python3 comes without pip and without ensurepip: then pip's wheel is fetched from the package index (the one
that pip itself would use: PIP_INDEX_URL, pip's configuration files, else PyPI), checked against the index's SHA-256,
and run from the wheel. The environment is made anew when pyproject.toml or the Python changes.
"""

import configparser
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "assay-environment"
LEAST = (3, 11)
WHEEL = re.compile(r'href="([^"]+/(pip-(\d[\d.]*)-py3-none-any\.whl)#sha256=([0-9a-f]{64}))"')
PIP_CONFIGS = ("/etc/pip.conf", "/etc/xdg/pip/pip.conf", "~/.pip/pip.conf", "~/.config/pip/pip.conf")


def ready() -> Path:
    """The Python of an environment with Assay, what AutoTest and the tests need, and a Redis. Exits 2 in words."""
    if not sys.platform.startswith("linux"):
        _stop(f"Assay runs on Linux: it needs /proc, signals and process groups as Linux has them, not {sys.platform}")
    if sys.version_info < LEAST:
        _other_python()
    project = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    stamp = f"Python {sys.version_info[:2]} at {ROOT}, pyproject.toml {project}"
    if STAMP.exists() and STAMP.read_text() == stamp:
        return PYTHON
    print(f"making {VENV.name} (a minute or two, once) ...", file=sys.stderr, flush=True)
    try:
        venv.create(VENV, with_pip=False, clear=True)
    except (OSError, ValueError) as error:
        _stop(f"{VENV} cannot be made: {error}")
    with tempfile.TemporaryDirectory() as folder:
        pip = _pip(Path(folder))
        command = [PYTHON, pip, "install", "-qq", "--no-input", "--editable", ".[server,redis]", "--group", "test"]
        if subprocess.run(command, cwd=ROOT).returncode:
            _stop("the packages could not be installed; pip says why above")
    # as pip does with what it copies: where Python is told to write no bytecode, each process would compile all anew
    subprocess.run([PYTHON, "-m", "compileall", "-q", "src", "server"], cwd=ROOT)
    STAMP.write_text(stamp)
    return PYTHON


def _pip(folder: Path) -> str:
    """A path that `python PATH install ...` runs: the newest pip's wheel."""
    index = _index()
    try:
        with urllib.request.urlopen(_asked(f"{index}/pip/"), timeout=60) as page:
            links = WHEEL.findall(page.read().decode())
            base = page.url
        link, name, _, digest = max(links, key=lambda found: [int(part) for part in found[2].split(".")])
        with urllib.request.urlopen(_asked(urllib.parse.urljoin(base, link)), timeout=60) as answer:
            wheel = answer.read()
    except (OSError, ValueError) as error:
        _stop(f"pip could not be fetched from {_shown(index)}: {error}; set PIP_INDEX_URL, or install python3-pip")
    if hashlib.sha256(wheel).hexdigest() != digest:
        _stop(f"{name} from {_shown(index)} is damaged: its SHA-256 is not the one that the index gives")
    path = folder / name
    path.write_bytes(wheel)
    return f"{path}/pip"


def _asked(url: str) -> urllib.request.Request:
    return urllib.request.Request(url, headers={"Accept": "text/html"})


def _index() -> str:
    if given := os.environ.get("PIP_INDEX_URL"):
        return given.rstrip("/")
    found = configparser.RawConfigParser()
    found.read([os.path.expanduser(path) for path in (*PIP_CONFIGS, os.environ.get("PIP_CONFIG_FILE", ""))])
    return found.get("global", "index-url", fallback="https://pypi.org/simple").rstrip("/")


def _shown(index: str) -> str:
    """Without credentials."""
    return re.sub(r"//[^/@]*@", "//", index)


def _other_python() -> None:
    for minor in (13, 12, 11):
        if other := shutil.which(f"python3.{minor}"):
            os.execv(other, [other, *sys.argv])
    _stop(f"Assay needs Python 3.{LEAST[1]} or newer; this is {sys.version.split()[0]} and no newer one is on PATH")


def _stop(why: str) -> None:
    print(f"{Path(sys.argv[0]).name}: {why}", file=sys.stderr)
    raise SystemExit(2)
