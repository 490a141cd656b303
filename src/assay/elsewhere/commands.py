"""The commands of `workers`, run with a time limit; and the latest list of the workers that are there."""

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from typing import IO

from assay.brokers.external import redact_url
from assay.elsewhere.address import VARIABLE
from assay.elsewhere.table import Workers, filled
from assay.errors import AssayError, HarnessError, UsageError
from assay.process import inherited

EVERY_S = 0.5  # between two lists
MOST_FAILED = 3  # lists in a row: one that fails by chance ends no run
SHOWN = 300


class Running:
    """A command under way. Its output goes to a file: what it leaves in the background may keep a pipe open."""

    def __init__(
        self, verb: str, argv: list[str], env: dict[str, str], wrong: Callable[[str, str], AssayError]
    ) -> None:
        self._verb = verb
        self._wrong = wrong
        self._out: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it has ended
        try:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=self._out,
                stderr=subprocess.STDOUT,
                env=inherited() | env,
                start_new_session=True,
            )
        except OSError as error:
            raise wrong(verb, f"cannot be run: {error.strerror}") from None

    def ended(self) -> bool:
        return self._process.poll() is not None

    def kill(self) -> None:
        """It, and what it has started and not put into a session of its own."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def result(self, timeout_s: float) -> str:
        """What it printed. Raises what `wrong` makes where it hangs, or exits with anything but 0."""
        try:
            status = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            background = "; what it starts is to go on in the background" if self._verb == "start" else ""
            raise self._wrong(self._verb, f"did not end within {timeout_s:g} s{background}") from None
        except BaseException:  # Ctrl-C does not reach its session
            self.kill()
            raise
        self._out.seek(0)
        said = self._out.read().decode(errors="replace")
        self._out.close()
        if status:
            how = f"was killed by signal {-status}" if status < 0 else f"exited with status {status}"
            raise self._wrong(self._verb, f"{how}{_quoted(said)}")
        return said


class Commands:
    """A verb that has never done what it is for is the user's mistake; one that has, and now fails, is not."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._done: set[str] = set()

    def begin(self, verb: str, worker: str = "", **values: str) -> Running:
        argv = filled(getattr(self._workers, verb), {"worker": worker, **values})
        env = {VARIABLE: values["recorder"]} if "recorder" in values else {}
        return Running(verb, argv, env, self.wrong)

    def run(self, verb: str, worker: str = "", **values: str) -> str:
        """What it printed. Raises UsageError or HarnessError, one sentence."""
        return self.begin(verb, worker, **values).result(self._workers.timeout_s)

    def names(self) -> list[str]:
        """Of the workers that `list` tells: `pod/w1`, as kubectl says, is w1."""
        said = self.run("list")
        self.done("list")
        return [line.strip().rpartition("/")[2] for line in said.splitlines() if line.strip()]

    def done(self, verb: str) -> None:
        """It is seen that it does what it is for."""
        self._done.add(verb)

    def wrong(self, verb: str, what: str) -> AssayError:
        """The error that says so."""
        kind = HarnessError if verb in self._done else UsageError
        return kind(f"workers: {verb} {what}: {redact_url(getattr(self._workers, verb))}")

    @property
    def timeout_s(self) -> float:
        return self._workers.timeout_s


class Listing:
    """Who is there, asked again and again in a thread: a list over the network takes its time."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        self._names = set(commands.names())
        self._begun = time.monotonic()
        self._failed: list[str] = []  # what went wrong since the last one that did not
        self._changed = threading.Condition()
        self._wanted = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="assay-list", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended:
            self._wanted.wait(EVERY_S)
            self._wanted.clear()
            begun = time.monotonic()
            try:
                names = set(self._commands.names())
            except AssayError as error:
                with self._changed:
                    self._failed.append(str(error))
                    self._changed.notify_all()
                continue
            with self._changed:
                self._names, self._begun, self._failed = names, begun, []
                self._changed.notify_all()

    def latest(self) -> tuple[set[str], float]:
        """The names, and when the list was begun (monotonic). Raises HarnessError where it fails again and again."""
        with self._changed:
            if len(self._failed) >= MOST_FAILED:
                raise HarnessError(self._failed[-1])
            return self._names, self._begun

    def fresh(self) -> set[str]:
        """Of a list that is begun from now on."""
        now = time.monotonic()
        self._wanted.set()
        with self._changed:
            self._changed.wait_for(lambda: self._begun >= now or len(self._failed) >= MOST_FAILED)
        return self.latest()[0]

    def gone(self, name: str, timeout_s: float) -> bool:
        """Wait until it is not named any more."""
        until = time.monotonic() + timeout_s
        while name in self.fresh():
            if time.monotonic() > until:
                return False
        return True

    def close(self) -> None:
        self._ended = True
        self._wanted.set()
        self._thread.join()


def _quoted(said: str) -> str:
    """The last line of it, which is mostly what went wrong."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return f" ({redact_url(lines[-1])[:SHOWN]})" if lines else ""
