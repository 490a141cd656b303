"""What installs distributions into an environment: uv, or pip, with the index that the user's pip is told to use."""

import configparser
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from assay.errors import UsageError

VERSIONS = re.compile(r"versions: .*(?=(?:, [^,)]+){4}\))")  # all but the last four, which pip has by the hundred
SHOWN = 3  # lines of what an installer says when it fails
#: pip's options that uv has, too, and what they are called there
AS_UV = {"index-url": "--index-url", "extra-index-url": "--extra-index-url", "find-links": "--find-links"}
FILES = ("/etc/pip.conf", "/etc/xdg/pip/pip.conf", "~/.pip/pip.conf", "~/.config/pip/pip.conf")


def needs_pip() -> bool:
    """Whether an environment has to be made with a pip of its own, since nothing here can install into it."""
    return not (shutil.which("uv") or importlib.util.find_spec("pip") or shutil.which("pip"))


def install(python: Path, requirements: Sequence[str], constraints: Path) -> str:
    """Install them for that interpreter. Why it failed, in short; "" where it did not. Raises UsageError."""
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PIP_TARGET")}
    environment |= {"PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "VIRTUAL_ENV": str(python.parent.parent)}
    command = [*_command(python, environment), "-c", str(constraints), *requirements]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    except OSError as error:
        raise UsageError(f"{command[0]} cannot be started: {error.strerror}") from None
    return "" if done.returncode == 0 else reason(done.stderr) or f"{command[0]} ended with exit code {done.returncode}"


def reason(said: str) -> str:
    """The lines of an installer that tell why it failed."""
    lines = [line.strip(" ×╰─▶│") for line in said.splitlines() if line.strip(" ×╰─▶│")]
    errors = [line.partition(": ")[2] for line in lines if line.lower().startswith(("error: ", "cause: "))]
    told = errors or [line for line in lines if not line.lower().startswith(("warning", "looking in", "using "))]
    return VERSIONS.sub("versions: ...", " ".join("; ".join(told[:SHOWN]).split()))


def _command(python: Path, environment: dict[str, str]) -> list[str]:
    if uv := shutil.which("uv"):
        given, certificates = as_uv(pip_options(os.environ))
        if certificates:
            environment.setdefault("SSL_CERT_FILE", certificates)
        return [uv, "pip", "install", "--quiet", "--python", str(python), *given]
    quiet = ["install", "-q", "--no-input"]
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "--python", str(python), *quiet]
    if pip := shutil.which("pip"):
        return [pip, "--python", str(python), *quiet]
    return [str(python), "-m", "pip", *quiet]


def pip_options(environ: Mapping[str, str], files: Sequence[str] = FILES) -> dict[str, str]:
    """What pip's configuration files and the environment say; the latter wins."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read([os.path.expanduser(path) for path in (*files, environ.get("PIP_CONFIG_FILE", ""))])
    except configparser.Error as error:
        raise UsageError(f"pip's configuration cannot be read: {' '.join(str(error).split())}") from None
    found = {}
    for section in ("global", "install"):
        found.update(dict(parser[section]) if parser.has_section(section) else {})
    named = {key.lower().replace("_", "-"): value for key, value in environ.items() if key.startswith("PIP_")}
    return found | {key.removeprefix("pip-"): value for key, value in named.items()}


def as_uv(options: Mapping[str, str]) -> tuple[list[str], str]:
    """uv reads none of pip's configuration: (its arguments for the same, the file of certificates)."""
    given = [part for key, name in AS_UV.items() for value in options.get(key, "").split() for part in (name, value)]
    if options.get("extra-index-url"):
        given += ["--index-strategy", "unsafe-best-match"]  # the best of all indexes, as pip takes it
    for host in options.get("trusted-host", "").split():
        given += ["--allow-insecure-host", host]
    if "no-index" in options:
        given.append("--no-index")
    return given, options.get("cert", "")
