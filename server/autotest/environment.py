"""The environment, parsed once. A bad value is one clear line, never a traceback deep in Django or Celery."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import environ

BASE = Path(__file__).resolve().parent.parent
DEVELOPMENT_KEY = "development-only-never-in-production-0000000000000000"
REDIS_SCHEMES = ("redis", "rediss", "redis+socket", "unix")


@dataclass(frozen=True)
class Environment:
    """What a deployment may set. Limits are in seconds, MiB or counts, as their names say."""

    production: bool
    debug: bool
    secret_key: str
    allowed_hosts: tuple[str, ...]
    csrf_trusted_origins: tuple[str, ...]
    trusted_proxies: int
    database: dict[str, Any]
    redis_url: str
    celery_backend: str
    script_root: Path
    script_memory_mib: int
    script_cpu_s: int
    script_file_mib: int
    script_processes: int
    script_output_kib: int
    keep_days: int


@cache
def environment() -> Environment:
    """Read and check the process's environment. Exits with one line where a value cannot be used."""
    env = environ.Env()
    production = _of(env.str, "AUTOTEST_ENV", "development", choices=("development", "production")) == "production"
    made = Environment(
        production=production,
        debug=_of(env.bool, "DEBUG", not production),
        secret_key=_of(env.str, "SECRET_KEY", DEVELOPMENT_KEY),
        allowed_hosts=tuple(_of(env.list, "ALLOWED_HOSTS", [] if production else ["localhost", "127.0.0.1", "[::1]"])),
        csrf_trusted_origins=tuple(_of(env.list, "CSRF_TRUSTED_ORIGINS", [])),
        trusted_proxies=_of(env.int, "TRUSTED_PROXIES", 0),
        database=_of(env.db_url, "DATABASE_URL", f"sqlite:///{BASE / 'db.sqlite3'}"),
        redis_url=_redis("REDIS_URL", _of(env.str, "REDIS_URL", "redis://localhost:6379/0")),
        celery_backend=_of(env.str, "CELERY_BACKEND", "django-db"),
        script_root=Path(_of(env.str, "SCRIPT_ROOT", str(BASE / "workspace"))),
        script_memory_mib=_positive(env, "SCRIPT_MEMORY_MIB", 512),
        script_cpu_s=_positive(env, "SCRIPT_CPU_S", 600),
        script_file_mib=_positive(env, "SCRIPT_FILE_MIB", 64),
        script_processes=_positive(env, "SCRIPT_PROCESSES", 64),
        script_output_kib=_positive(env, "SCRIPT_OUTPUT_KIB", 1024),
        keep_days=_positive(env, "KEEP_DAYS", 30),
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
        refuse("DATABASE_URL", "production needs a database server: workers and web on one SQLite file lock each other out")


def refuse(name: str, why: str) -> NoReturn:
    """One line on stderr and exit 2."""
    sys.stderr.write(f"AutoTest cannot start: {name}: {why}\n")
    raise SystemExit(2)


def _of(read: Any, name: str, default: Any, *, choices: tuple[str, ...] = ()) -> Any:
    try:
        value = read(name, default=default)
    except Exception as error:
        refuse(name, f"cannot be used: {type(error).__name__}: {error}")
    if choices and value not in choices:
        refuse(name, f"must be one of {', '.join(choices)}, not {value!r}")
    return value


def _positive(env: environ.Env, name: str, default: int) -> int:
    value = int(_of(env.int, name, default))
    if value <= 0:
        refuse(name, f"must be a positive number, not {value}")
    return value


def _redis(name: str, url: str, also: str = "") -> str:
    if urlsplit(url).scheme not in REDIS_SCHEMES:
        refuse(name, f"must be {also}an address such as redis://host:6379/0 (its scheme is {urlsplit(url).scheme or 'missing'!r})")
    return url
