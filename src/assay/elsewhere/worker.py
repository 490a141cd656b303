"""A worker elsewhere in the place of a process of the run: what can be done to it is what there are commands for."""

import signal
import time
from pathlib import Path

from assay.elsewhere.commands import Commands, Listing, Running
from assay.errors import HarnessError
from assay.worker import Worker

LISTED_S = 3.0  # that one may need from its start until it is listed
GONE_S = 10.0  # at the most: less where the commands are given less


class FarProcess:
    """As `assay.process.Process`, of one that `list` calls `called`. Its pid is known when it has sent something."""

    pidfd = None
    pid = 0

    def __init__(self, name: str, called: str, commands: Commands, listing: Listing) -> None:
        self.name = name
        self.called = called
        self.log = Path("/dev/null")
        self._commands = commands
        self._listing = listing
        self._started = time.monotonic()
        self._listed = False
        self._gone = False
        self._stops: Running | None = None

    def alive(self) -> bool:
        """By the latest list; one that was just started is given time to be listed."""
        if self._gone:
            return False
        names, begun = self._listing.latest()
        if self.called in names:
            self._listed = True
        elif begun > self._started and (self._listed or begun > self._started + LISTED_S):
            self._gone = True
        return not self._gone

    def gone(self, timeout_s: float) -> bool:
        """Wait until a list that is begun from now on does not name it."""
        if not self._gone and self._listing.gone(self.called, timeout_s):
            self._gone = True
        return self._gone

    def wait(self, timeout_s: float = GONE_S) -> int | None:
        """Nobody tells its exit status."""
        if self.alive() and not self.gone(timeout_s):
            raise HarnessError(f"{self.called} is still listed after {timeout_s:g} s")
        return None

    def kill(self) -> None:
        """By the command; raises UsageError or HarnessError where the list still names it afterwards."""
        try:
            self._commands.run("kill", self.called)
        except Exception:
            if self.gone(0):
                raise HarnessError(f"{self.called} was gone before it could be killed") from None
            raise
        limit_s = min(GONE_S, self._commands.timeout_s)
        if not self.gone(limit_s):
            raise self._commands.wrong("kill", f"exited with 0, and after {limit_s:g} s list still names {self.called}")
        self._commands.done("kill")

    def send_group(self, number: signal.Signals) -> None:
        """There is but one command for each."""
        self.send(number)

    def send(self, number: signal.Signals) -> None:
        if number is signal.SIGKILL:
            self.kill()
        elif number is signal.SIGTERM:
            self.stop()
        else:
            raise HarnessError(f"no command of [workers] sends {number.name}")

    def stop(self) -> None:
        """Begun, and not waited for: some commands return only when the worker has ended."""
        self._stops = self._commands.begin("stop", self.called)

    def refused(self) -> bool:
        """Whether the command that stops it has ended without an error; raises the error."""
        if self._stops is not None and self._stops.ended():
            running, self._stops = self._stops, None
            running.result(0)
            return True
        return False

    def pause(self) -> None:
        self._commands.run("pause", self.called)

    def resume(self) -> None:
        self._commands.run("resume", self.called)
        self._commands.done("resume")

    def last_words(self) -> str:
        return f"{self.called} ({self.name}) is not listed any more; what it said is on its machine"

    def close(self) -> None:
        if self._stops is not None:
            self._stops.kill()
            self._stops = None


class FarWorker(Worker):
    """The same, as the harness holds it."""

    far: FarProcess

    def __init__(self, process: FarProcess, record: object) -> None:
        super().__init__(process.name, process, record)  # type: ignore[arg-type]
        self.far = process
        self.hostname = ""  # what it is called in remote control
        self.paused = False

    def children(self) -> list[int]:
        return []

    def resume(self) -> None:
        """Only one that is paused: there may be no such command."""
        if self.paused:
            self.far.resume()
            self.paused = False

    def close(self) -> None:
        if self.alive():
            self.resume()
        super().close()
