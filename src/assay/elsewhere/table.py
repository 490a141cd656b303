"""The table `workers` of the configuration: the commands by which workers elsewhere are started, ended and named."""

import os
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from assay.brokers import NAMES as BROKERS
from assay.brokers import speaks_amqp
from assay.errors import UsageError
from assay.redirection import AMQP
from assay.selection import nearest

#: verb -> placeholders that it must have, and those that it may have besides
VERBS = {
    "start": ({"worker"}, {"recorder", "concurrency", "queues"}),
    "kill": ({"worker"}, set()),
    "list": (set(), set()),
    "stop": ({"worker"}, set()),
    "pause": ({"worker"}, set()),
    "resume": ({"worker"}, set()),
}
NEEDED = {
    "start": "starts one worker in the background, under the name {worker}",
    "kill": "ends the worker {worker} at once, as kill -9 does",
    "list": "prints the names of the workers that are there, one on each line",
}
#: `{{.Names}}` of docker and `${name}` of a shell are theirs
PLACEHOLDER = re.compile(r"(?<![{$])\{(\w+)\}(?!\})")
REDIS = ("redis", "rediss", "redis+socket", "unix")
LONGEST_S = 600.0


#: fault of a chaos run -> the verbs that it is done by; for all others there is no command
FAULTS: dict[str, tuple[str, ...]] = {
    "SIGKILL main": ("kill",),
    "SIGTERM": ("stop",),
    "SIGTERM, then SIGKILL": ("stop", "kill"),
    "SIGSTOP": ("pause", "resume"),
    "rolling restart": ("stop",),
    "scaled to none": ("stop",),
    "clock ahead": ("stop",),
    "crash burst": (),
}


class Workers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As it is written. `recorder` is a Redis or a folder, as reached from here; `..._there`: as the workers do."""

    start: str = ""
    kill: str = ""
    list: str = ""
    stop: str = ""
    pause: str = ""
    resume: str = ""
    broker_there: str = ""
    recorder: str = ""  # empty: the run's broker
    recorder_there: str = ""
    timeout_s: float = 30.0

    @property
    def verbs(self) -> dict[str, str]:
        """Those that are given."""
        return {verb: text for verb in VERBS if (text := getattr(self, verb))}


def out_of_reach(workers: Workers, fault: str) -> str:
    """Why this fault is not available there; "" where it is."""
    if fault not in FAULTS:
        return "the workers are on other machines, and no command of [workers] reaches that far"
    lacking = [verb for verb in FAULTS[fault] if verb not in workers.verbs]
    return f"[workers] has no command {lacking[0]}" if lacking else ""


def filled(text: str, values: dict[str, str]) -> "list[str]":
    """The words of a command, without a shell; each placeholder is filled in after the words are told apart."""
    return [PLACEHOLDER.sub(lambda it: values.get(it[1], it[0]), word) for word in shlex.split(text)]


def must_be_usable(workers: Workers, broker: str) -> None:
    """Raises UsageError for the first mistake that can be seen without running anything."""

    def wrong(what: str) -> UsageError:
        return UsageError(f"workers: {what}")

    for verb, what in NEEDED.items():
        if not getattr(workers, verb).strip():
            raise wrong(f"{verb} is missing: the command that {what}")
    for verb, text in workers.verbs.items():
        try:
            words = shlex.split(text)
        except ValueError as error:
            raise wrong(f"{verb}: {text!r} is no command: {str(error).lower()}") from None
        if not words:
            raise wrong(f"{verb} is empty; leave the key out where there is no such command")
        must, may = VERBS[verb]
        found = {name for word in words for name in PLACEHOLDER.findall(word)}
        for name in sorted(found - must - may):
            there_are = ", ".join(f"{{{each}}}" for each in sorted(must | may)) or "none"
            hint = nearest(name, sorted(must | may)) or f"; there are {there_are}"
            raise wrong(f"{verb}: unknown placeholder {{{name}}}{hint}")
        for name in sorted(must - found):
            raise wrong(f"{verb} must have {{{name}}} where the name of the worker goes")
        if shutil.which(words[0]) is None:
            raise wrong(f"{verb}: there is no program {words[0]} here")
    if bool(workers.pause) != bool(workers.resume):
        given, other = ("pause", "resume") if workers.pause else ("resume", "pause")
        raise wrong(f"{given} is given without {other}: a worker that is paused has to go on")
    if not 0 < workers.timeout_s <= LONGEST_S:
        raise wrong(
            f"timeout_s is {workers.timeout_s:g}: say how many seconds a command may take, {LONGEST_S:g} at most"
        )
    _must_be_reached(workers, broker, wrong)


def _must_be_reached(workers: Workers, broker: str, wrong: Callable[[str], UsageError]) -> None:
    from assay.brokers.external import redact_url  # only here: settings are read where no broker is known

    if broker in BROKERS:
        raise wrong(
            f"they are on other machines, and the run's broker would be {broker}, which only this one reaches: say "
            "--broker URL, of an empty one that both sides reach"
        )
    if workers.broker_there and "://" not in workers.broker_there:
        raise wrong(f"broker_there: {workers.broker_there} is no address such as redis://broker.example:6379/5")
    if workers.broker_there:
        scheme, kinds = workers.broker_there.partition("://")[0].lower(), AMQP if speaks_amqp(broker) else REDIS
        if scheme not in kinds:
            raise wrong(
                f"broker_there: {redact_url(workers.broker_there)} is another kind of broker than --broker: both name "
                f"the same one, so it begins with {', '.join(f'{kind}://' for kind in kinds)}"
            )
    if workers.recorder_there and not workers.recorder:
        raise wrong("recorder_there is how the workers reach what `recorder` names, which is missing")
    if not workers.recorder:
        if speaks_amqp(broker):
            raise wrong(
                "the broker is no Redis, so what is recorded needs another way back: recorder is a Redis, or a folder, "
                "that both sides reach"
            )
        return
    if "://" in workers.recorder:
        scheme = workers.recorder.partition("://")[0].lower()
        if scheme not in REDIS:
            raise wrong(
                f"recorder: {redact_url(workers.recorder)} is no Redis: it is redis://..., or a folder that both sides "
                "reach"
            )
        if workers.recorder_there and workers.recorder_there.partition("://")[0].lower() not in REDIS:
            raise wrong("recorder is a Redis and recorder_there is none: both name the same thing")
        return
    if "://" in workers.recorder_there:
        raise wrong("recorder is a folder and recorder_there is none: both name the same thing")
    folder = Path(workers.recorder)
    if not folder.is_dir():
        raise wrong(f"recorder: there is no folder {folder}; it is one that both sides reach, or redis://...")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise wrong(f"recorder: {folder} cannot be written: permission denied")
