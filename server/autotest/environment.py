"""The environment, parsed once. A bad value is one clear line, never a traceback deep in Django or Celery."""

from __future__ import annotations

import os
import re
import sys
import warnings
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import environ

BASE = Path(__file__).resolve().parent.parent
DEVELOPMENT_KEY = "development-only-never-in-production-0000000000000000"
REDIS_SCHEMES = ("redis", "rediss", "redis+socket")
TRUE, FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


class Refused(SystemExit):
    """The environment cannot be used; `text` says why. Exit status 1 where nobody catches it."""

    def __init__(self, text: str) -> None:
        super().__init__(1)
        self.text = text


@dataclass(frozen=True)
class Environment:
    """What a deployment may set. Limits are in seconds, MiB or counts, as their names say."""

    production: bool
    debug: bool
    secret_key: str = field(repr=False)
    allowed_hosts: tuple[str, ...]
    csrf_trusted_origins: tuple[str, ...]
    trusted_proxies: int
    database: dict[str, Any] = field(repr=False)
    redis_url: str = field(repr=False)
    celery_backend: str = field(repr=False)
    script_root: Path
    script_memory_mib: int
    script_cpu_s: int
    script_file_mib: int
    script_processes: int
    script_output_kib: int
    keep_days: int
    keep_reports: int
    report_mib: int


@cache
def environment() -> Environment:
    """Read and check the process's environment. Exits with one line where a value cannot be used."""
    env = environ.Env()
    production = _of(env.str, "AUTOTEST_ENV", "development", choices=("development", "production")) == "production"
    made = Environment(
        production=production,
        debug=_flag(env, "DEBUG", not production),
        secret_key=_of(env.str, "SECRET_KEY", DEVELOPMENT_KEY),
        allowed_hosts=tuple(_of(env.list, "ALLOWED_HOSTS", [] if production else ["localhost", "127.0.0.1", "[::1]"])),
        csrf_trusted_origins=tuple(_of(env.list, "CSRF_TRUSTED_ORIGINS", [])),
        trusted_proxies=_number(env, "TRUSTED_PROXIES", 0, least=0),
        database=_database(env),
        redis_url=_redis("REDIS_URL", _of(env.str, "REDIS_URL", "redis://localhost:6379/0")),
        celery_backend=_of(env.str, "CELERY_BACKEND", "django-db"),
        script_root=Path(_of(env.str, "SCRIPT_ROOT", str(BASE / "workspace"))),
        script_memory_mib=_number(env, "SCRIPT_MEMORY_MIB", 512),
        script_cpu_s=_number(env, "SCRIPT_CPU_S", 600),
        script_file_mib=_number(env, "SCRIPT_FILE_MIB", 64),
        script_processes=_number(env, "SCRIPT_PROCESSES", 64),
        script_output_kib=_number(env, "SCRIPT_OUTPUT_KIB", 1024),
        keep_days=_number(env, "KEEP_DAYS", 30),
        keep_reports=_number(env, "KEEP_REPORTS", 500),
        report_mib=_number(env, "REPORT_MIB", 8),
    )
    if made.celery_backend != "django-db":
        _redis("CELERY_BACKEND", made.celery_backend, "django-db or ")
    if production:
        _demand_safe(made)
    return made


def _demand_safe(made: Environment) -> None:
    """Production starts with no default that is only good for development."""
    if made.secret_key == DEVELOPMENT_KEY or len(made.secret_key) < 40:
        refuse("SECRET_KEY", "production needs one of its own, of 40 characters or more")
    if made.debug:
        refuse("DEBUG", "production must not show tracebacks: leave it out or set it to false")
    if not made.allowed_hosts or "*" in made.allowed_hosts:
        refuse("ALLOWED_HOSTS", "production needs the host names that it is served under, and not *")
    if "sqlite3" in made.database["ENGINE"]:
        refuse("DATABASE_URL", "production needs a database server: on one SQLite file workers lock each other out")
    if not os.environ.get("REDIS_URL"):
        refuse("REDIS_URL", "production needs the address of its Redis: the default is this machine's own")


def refuse(name: str, why: str) -> NoReturn:
    """One line on stderr and exit 1. Values are not shown: many hold passwords."""
    sys.stderr.write(f"AutoTest cannot start: {name}: {why}\n")
    raise Refused(f"{name}: {why}")


def _of(read: Any, name: str, default: Any, *, choices: tuple[str, ...] = (), like: str = "") -> Any:
    try:
        value = read(name, default=default)
    except Exception as error:
        refuse(name, f"cannot be used ({type(error).__name__})" + (f"; it should look like {like}" if like else ""))
    if choices and value not in choices:
        refuse(name, f"must be one of {', '.join(choices)}")
    return value


def _database(env: environ.Env) -> dict[str, Any]:
    like = "postgres://user:password@host:5432/name"
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a scheme that is unknown is only warned of, and fails much later
        found: dict[str, Any] = _of(env.db_url, "DATABASE_URL", f"sqlite:///{BASE / 'db.sqlite3'}", like=like)
    if not found.get("ENGINE", "").startswith("django.db.backends.") or not found.get("NAME"):
        refuse("DATABASE_URL", f"cannot be used; it should look like {like}")
    return found


def _flag(env: environ.Env, name: str, default: bool) -> bool:
    text = str(_of(env.str, name, str(default))).strip().lower()
    if text not in TRUE + FALSE:
        refuse(name, f"must be one of {', '.join(TRUE + FALSE)}")
    return text in TRUE


def _number(env: environ.Env, name: str, default: int, least: int = 1) -> int:
    value = int(_of(env.int, name, default, like=str(default)))
    if value < least:
        refuse(name, f"must be {least} or more, not {value}")
    return value


def _redis(name: str, url: str, also: str = "") -> str:
    try:
        parts = urlsplit(url)
        good = parts.scheme in REDIS_SCHEMES and (parts.port or 1) > 0
        if "+" not in parts.scheme:  # a password with / or @ in it that is not %-encoded ends up in the path
            good = good and re.fullmatch(r"/?\d*", parts.path) is not None and "@" not in (parts.password or "")
    except ValueError:
        good = False
    if not good:
        refuse(
            name,
            f"must be {also}an address such as redis://:password@host:6379/0, its password %-encoded; known are "
            + ", ".join(REDIS_SCHEMES),
        )
    return url
