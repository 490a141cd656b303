"""The user's configuration, parsed once at the edge into one frozen value. docs/configuration.md tells every key."""

import os
import re
import tomllib
from collections.abc import Mapping
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec

from assay.brokers import NAMES as BROKERS
from assay.contract.table import entries, placed
from assay.contract.terms import Entry
from assay.elsewhere.table import Workers
from assay.errors import UsageError
from assay.gating.table import Demands
from assay.known import Known
from assay.selection import nearest

MOST_JOBS = 16
Count = Annotated[int, msgspec.Meta(ge=1)]


class Call(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Arguments of one call. `{effect}` in a string becomes the path of a file that is the invocation's own."""

    args: list[Any] = []
    kwargs: dict[str, Any] = {}


class LiveCall(Call, frozen=True, forbid_unknown_fields=True):
    """Arguments for one task's real body, used where `bodies` is "live".

    `slow` is a call that writes something to `{effect}` when it has begun and then takes half a minute or more, unless
    there is something in `{effect}` already: faults land in the middle of it, and its redelivery is quick.
    """

    slow: Call | None = None


def _jobs() -> int:
    """Scenarios mostly wait for Celery (a lost child is noticed after up to 5 s), so several share a processor.

    More than MOST_JOBS clusters at once save no time that their processes do not cost elsewhere.
    """
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(6 * processors, MOST_JOBS)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a run may know about the user's wishes. Paths are absolute; `out` is the folder of this very run."""

    app: str = ""  # as Celery's -A; empty only where no run is asked for
    workdir: Path  # put first on sys.path; also the app's current folder
    django_settings: str = ""  # DJANGO_SETTINGS_MODULE, where the app does not set it itself
    suites: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    broker: str = "fakeredis"  # or redis, or a URL, which may hold a password: never print it as it is
    pool: Literal["", "prefork", "solo", "threads"] = ""  # empty: the app's own worker_pool
    concurrency: Count = 2
    queues: tuple[str, ...] = ()  # what the team's workers are given by -Q; empty: they are started without
    jobs: Count = msgspec.field(default_factory=_jobs)  # scenarios at the same time
    out: Path
    delivery: Literal["inferred", "at_least_once", "at_most_once", "effectively_once"] = "inferred"
    contract: tuple[Entry, ...] = ()  # what is required of tasks, by patterns over their names
    each_task: bool = False  # every task by itself, rather than one for each profile
    migrations: bool = True  # Django's, run in the private copies; or their tables are made from the models
    fixtures: tuple[str, ...] = ()  # Django's, loaded into the private copies of the databases
    cold: bool = False  # the real `celery worker` command rather than the zygote
    bodies: Literal["hollow", "live"] = "hollow"
    env: dict[str, str] = {}
    live: dict[str, LiveCall] = {}
    known: tuple[Known, ...] = ()
    workers: Workers | None = None  # that others run: `assay chaos` starts and ends them by commands
    gate: Demands = Demands()
    canary: bool = True  # break one configuration on purpose in each run: its loss must be seen
    config: Path | None = None  # not a key: the file that was read
    notes: tuple[str, ...] = ()  # not a key: what the user should know about how this was read
    out_timed: bool = False  # not a key: `out` has its name from the time
    demanded_at: str = ""  # not a key: file:line of `delivery`, where a file has it

    @property
    def environment(self) -> dict[str, str]:
        """What the app's processes are given besides the harness's own variables."""
        django = {"DJANGO_SETTINGS_MODULE": self.django_settings} if self.django_settings else {}
        return {**self.env, **django}

    @property
    def sigterm_quits(self) -> bool:
        """Whether SIGTERM is a cold shutdown for the workers, by a variable that celery/apps/worker.py reads."""
        return self.env.get("REMAP_SIGTERM", os.environ.get("REMAP_SIGTERM")) == "SIGQUIT"


NO_KEYS = ("config", "notes", "out_timed", "demanded_at")
TYPES: dict[str, Any] = {f.name: f.type for f in msgspec.structs.fields(Settings) if f.name not in NO_KEYS}
KEYS = tuple(TYPES)
TABLES: dict[str, type[msgspec.Struct]] = {"workers": Workers, "gate": Demands}


def load(
    options: Mapping[str, Any],
    *,
    cwd: Path,
    config: Path | None = None,
    now: datetime | None = None,
    sources: Mapping[str, str] = {},
) -> Settings:
    """Settings from the configuration file, overridden by the command line's `options` (None: not given).

    `config` is a file named by the user; without it the nearest one is looked for, from `cwd` upward. Paths in a file
    are relative to its folder, in `options` to `cwd`. `sources` says where an option was given, if not on the command
    line. Raises UsageError.
    """
    now = now or datetime.now()
    source, notes = (config, []) if config else find(cwd)
    table = read(source) if source else {}
    folder = source.resolve().parent if source else cwd
    values = converted(table, str(source), folder)
    given = {key: value for key, value in options.items() if value is not None}
    for key, value in given.items():
        values |= converted({key: value}, sources.get(key, "command line"), cwd)
    values.setdefault("workdir", folder)
    values.setdefault("out", cwd / "assay-runs" / "{time}")
    asked = str(values["out"])
    values["out"] = Path(asked.replace("{time}", now.strftime("%Y%m%d-%H%M%S")))
    _check_broker(values.get("broker", "fakeredis"))
    for entry in values.get("known", ()):
        _check_known(entry, str(source))
        if entry.expired(now.date()):
            notes.append(f"{source}: known finding has expired and does not count: {entry}")
    demanded_at = (
        _line_of("delivery", source, values["workdir"]) if source and "delivery" in {*table} - {*given} else ""
    )
    if source and values.get("contract"):
        values["contract"] = placed(values["contract"], source, _shown(source, values["workdir"]))
    return Settings(**values, config=source, notes=tuple(notes), out_timed="{time}" in asked, demanded_at=demanded_at)


def _line_of(key: str, source: Path, workdir: Path) -> str:
    """`file:line` of a key."""
    path, shown = source.resolve(), _shown(source, workdir)
    named = re.compile(rf"""\s*(?P<quote>['"]?){key}(?P=quote)\s*=""")
    numbers = [
        number for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if named.match(line)
    ]
    return f"{shown}:{numbers[-1]}" if len(numbers) == 1 else shown


def _shown(source: Path, workdir: Path) -> str:
    """The file as the app's settings are told: from the app's folder, where it is near."""
    path, root = source.resolve(), workdir.resolve()
    return os.path.relpath(path, root) if path.is_relative_to(root.parent) else str(path)


def find(cwd: Path) -> tuple[Path | None, list[str]]:
    """The nearest configuration from `cwd` upward, and what to tell about the choice.

    A pyproject.toml without [tool.assay] is somebody else's and is passed by. Raises UsageError for an assay.toml that
    is no file.
    """
    for folder in (cwd, *cwd.parents):
        own, shared = folder / "assay.toml", folder / "pyproject.toml"
        has_table = shared.is_file() and "assay" in _toml(shared).get("tool", {})
        if own.is_file():
            note = f"{own} is used; [tool.assay] in the pyproject.toml beside it is ignored"
            return own, [note] if has_table else []
        if own.exists():
            raise UsageError(f"{own} is {'a folder' if own.is_dir() else 'no file'}, and the configuration is a file")
        if has_table:
            return shared, []
    return None, []


def read(path: Path) -> dict[str, Any]:
    """The keys of one file: of [tool.assay] in a pyproject.toml, else of the file's top level."""
    data = _toml(path)
    if path.name == "pyproject.toml":
        data = data.get("tool", {}).get("assay", {})
        if not isinstance(data, dict):
            raise UsageError(f"{path}: tool.assay must be a table")
    return data


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}") from None


def must_be_known(key: str, source: str) -> None:
    """Raises UsageError for a key that there is not, with the one that was meant."""
    if key not in TYPES:
        raise UsageError(f"{source}: unknown key {key}{nearest(key, KEYS) or '; known are ' + ', '.join(KEYS)}")


def converted(table: Mapping[str, Any], source: str, folder: Path) -> dict[str, Any]:
    """Values of keys as a run uses them. Raises UsageError for a key that there is not, or a value of another type."""
    values = dict[str, Any]()
    for key, value in table.items():
        must_be_known(key, source)
        if key in TABLES:
            _must_be_table(key, value, source)
        if key == "contract":
            values[key] = entries(value, source)
            continue
        try:
            values[key] = msgspec.convert(value, TYPES[key], dec_hook=lambda _, raw: _path(raw, folder))
        except msgspec.ValidationError as error:
            raise UsageError(f"{source}: {_told(key, str(error))}") from None
    if (workers := values.get("workers")) and workers.recorder and "://" not in workers.recorder:
        values["workers"] = msgspec.structs.replace(workers, recorder=str(_path(workers.recorder, folder)))
    if "workdir" in values and not values["workdir"].is_dir():
        raise UsageError(f"{source}: workdir: {values['workdir']} is not a folder")
    return values


def _must_be_table(key: str, value: Any, source: str) -> None:
    """Raises UsageError for what is no table, or a key that it does not have, with the one that was meant."""
    if not isinstance(value, dict):
        raise UsageError(f"{source}: {key} must be a table: [{key}], or [tool.assay.{key}] in a pyproject.toml")
    known = TABLES[key].__struct_fields__
    for inner in value:
        if inner not in known:
            hint = nearest(inner, known) or "; known are " + ", ".join(known)
            raise UsageError(f"{source}: {key}: unknown key {inner}{hint}")


def _path(raw: Any, folder: Path) -> Path:
    if not isinstance(raw, (str, Path)):
        raise TypeError(f"Expected `str`, got `{type(raw).__name__}`")
    return folder / Path(raw).expanduser()


def _told(key: str, error: str) -> str:
    """msgspec's "Expected `int`, got `str` - at `$[0].x`" as "key[0].x: expected int, got str"."""
    what, _, where = error.partition(" - at ")
    what = what.replace("`", "").replace("Expected array", "Expected a list")
    choices = [str(each) for each in get_args(_type_at(key, where)) if each] if "invalid enum" in error.lower() else []
    if "RFC3339" in error:
        choices = []
        what = "it must be a date such as 2026-12-31"
    known = f"; there are {', '.join(choices)}" if choices else ""
    return f"{key}{where.strip('`').removeprefix('$')}: {what[:1].lower()}{what[1:]}{known}"


def _type_at(key: str, where: str) -> Any:
    """Of a key, or of one in its table: `where` is as msgspec tells it, `$.audit`."""
    inner = where.strip("`").removeprefix("$.")
    fields = {field.name: field.type for field in msgspec.structs.fields(TABLES[key])} if key in TABLES else {}
    return fields.get(inner, TYPES[key])


def _check_broker(broker: str) -> None:
    if broker not in BROKERS and "://" not in broker:
        hint = (
            nearest(broker, BROKERS)
            or "; say fakeredis, redis, rabbitmq or an address such as redis://localhost:6379/5 or amqp://localhost/empty"
        )
        raise UsageError(f"unknown broker {broker}{hint}")


def _check_known(entry: Known, source: str) -> None:
    if bool(entry.scenario) == bool(entry.rule):
        raise UsageError(f"{source}: known: say either which scenario or which rule of `assay audit` it is about")
    if not entry.reason.strip() or not entry.upstream.strip():
        raise UsageError(f"{source}: known: {entry.scenario or entry.rule}: reason and upstream must say something")
    if entry.rule:
        from assay.audit.rule import registry as rules

        if entry.rule not in rules():
            hint = nearest(entry.rule, rules()) or "; `assay list rules` names them"
            raise UsageError(f"{source}: known: no rule is named {entry.rule}{hint}")
        return
    if not entry.scenario.strip("*?."):
        raise UsageError(f"{source}: known: scenario {entry.scenario!r} would hide every violation; name the scenario")
    from assay.chaos.judging import names as chaos_names
    from assay.scenario import registry  # only here: it imports all scenarios

    names = [*registry(), *chaos_names()]
    if not any(fnmatchcase(name, entry.scenario) for name in names):
        hint = nearest(entry.scenario, names) or "; `assay list scenarios` names them"
        raise UsageError(f"{source}: known: no scenario is named {entry.scenario}{hint}")
