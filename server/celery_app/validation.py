"""`validate_config()`: is what is configured reachable, known, consistent? One line a check, credentials never."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from urllib.parse import unquote, urlsplit

import django
from celery import Celery

from celery_app.configuration import HARD_LIMIT_S, RETRY_DELAY_S, settings, unknown
from celery_app.ignored import ignored_by

PASSWORD = re.compile(r"(://[^:/\s]*:)\S*@")
WINNING = ("CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL", "CELERY_RESULT_BACKEND")


@dataclass(frozen=True)
class Check:
    """`ok` None is a warning: worth knowing, no reason to stop."""

    name: str
    ok: bool | None
    text: str

    def __str__(self) -> str:
        mark = {True: "ok  ", False: "FAIL", None: "warn"}[self.ok]
        return f"{mark} {self.name}: {concealed(self.text)}"


def concealed(text: str) -> str:
    """Without credentials: those of the environment wherever they stand, and whatever looks like one in an address."""
    from autotest.environment import environment

    env = environment()
    words = [env.secret_key, str(env.database.get("PASSWORD") or "")]
    for url in (env.redis_url, env.celery_backend):
        password = urlsplit(url).password or ""
        words += [password, unquote(password)]
    for word in sorted((word for word in words if len(word) >= 8), key=len, reverse=True):  # "a" would conceal nothing
        text = text.replace(word, "***")
    return PASSWORD.sub(r"\1***@", text)


def validate_config(pool: str = "prefork", say: Callable[[str], None] = print) -> bool:
    """Run every check and print each on a line of its own; whether all of them passed."""
    results = list(checks(pool))
    for check in results:
        say(str(check))
    return all(check.ok is not False for check in results)


def checks(pool: str, wanted: Collection[str] | None = None) -> Iterator[Check]:
    """All checks in order, or those that are wanted; one that itself breaks is a failed one."""
    from celery_app import app

    for name, look in (
        ("environment", _environment),
        ("settings", lambda: _settings(app)),
        ("queues", lambda: _queues(app)),
        ("tasks", lambda: _tasks(app)),
        ("visibility timeout", lambda: _visibility(app)),
        ("pool", lambda: _pool(pool)),
        ("redis", lambda: _redis(app)),
        ("results", lambda: _results(app)),
        ("database", _database),
        ("migrations", _migrations),
    ):
        if wanted is not None and name not in wanted:
            continue
        try:
            ok, text = look()
        except Exception as error:
            ok, text = False, _first_line(error)
        yield Check(name, ok, text)


Found = tuple[bool | None, str]


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {(str(error).splitlines() or ['no message'])[0]}"


def _environment() -> Found:
    if winning := [name for name in WINNING if os.environ.get(name)]:
        return False, f"{', '.join(winning)} would silently win over REDIS_URL and CELERY_BACKEND: unset it"
    return True, "nothing overrides REDIS_URL and CELERY_BACKEND"


def _settings(app: Celery) -> Found:
    from celery.app.defaults import SETTING_KEYS

    dead = sorted(set(app.conf.table(with_defaults=False)) - set(SETTING_KEYS) - {"deprecated_settings"})
    if dead:
        return False, f"Celery {_version()} does not read {', '.join(dead)}"
    from autotest.environment import environment

    if lacking := unknown(settings(environment())):
        return None, f"Celery {_version()} lacks {', '.join(lacking)}; left out"
    return True, f"every setting is known to Celery {_version()}"


def _queues(app: Celery) -> Found:
    declared = set(app.conf.task_queues or {})
    routed = {route["queue"] for route in app.conf.task_routes.values()} | {app.conf.task_default_queue}
    if missing := sorted(routed - declared):
        return False, f"routed to but not declared: {', '.join(missing)}"
    return True, f"{', '.join(sorted(declared))} are declared, so a worker without -Q consumes them"


def _tasks(app: Celery) -> Found:
    # Not the loader's import_default_modules(): in it Celery's Django support runs the system checks, this one too.
    for module in app.conf.include:
        import_module(module)
    if missing := sorted(set(app.conf.task_routes) - set(app.tasks)):
        return False, f"routed but not registered: {', '.join(missing)}"
    return True, "every routed task is registered"


def _visibility(app: Celery) -> Found:
    timeout = (app.conf.broker_transport_options or {}).get("visibility_timeout", 3600)
    need = HARD_LIMIT_S + RETRY_DELAY_S
    if timeout <= need:
        return False, f"{timeout} s is not above the longest task plus retry delay, {need} s: tasks would run twice"
    return True, f"{timeout} s is above the longest task plus retry delay, {need} s"


def _pool(pool: str) -> Found:
    ignored = ignored_by(pool)
    if ignored:
        return None, f"pool {pool} ignores {', '.join(ignored)}: use prefork in production"
    return True, f"pool {pool} enforces limits and recycling"


def _redis(app: Celery) -> Found:
    with app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, timeout=5)
        client = connection.default_channel.client
        client.ping()
        policy, kept = (_server_setting(client, name) for name in ("maxmemory-policy", "appendonly"))
        where = connection.as_uri()
    if policy.startswith("allkeys"):
        return False, f"{where} answers, but with maxmemory-policy {policy}, which evicts whole queues, not noeviction"
    if kept == "no":
        return None, f"{where} answers, but keeps nothing through its own restart: what is queued needs appendonly yes"
    return True, f"{where} answers"


def _server_setting(client: Any, name: str) -> str:
    """Empty where a managed Redis forbids the question."""
    try:
        return str(client.config_get(name).get(name) or "")
    except Exception:
        return ""


def _results(app: Celery) -> Found:
    client = getattr(app.backend, "client", None)
    if client is None:
        return True, f"kept by {app.conf.result_backend.partition('://')[0]}"
    client.ping()
    return True, f"{app.backend.as_uri()} answers"


def _database() -> Found:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return True, f"{connection.vendor} answers"


def _migrations() -> Found:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        return False, f"{len(plan)} are not applied: run python manage.py migrate"
    return True, "all are applied"


def _version() -> str:
    import celery

    return str(celery.__version__)


def main(argv: list[str]) -> int:
    """For `python celery_app/celery.py`: exit 0 when every check passed, 1 otherwise."""
    parser = argparse.ArgumentParser(description="Check AutoTest's Celery configuration.")
    parser.add_argument("--pool", default="prefork", help="the pool that workers are started with")
    options: Any = parser.parse_args(argv)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "autotest.settings")
    try:
        django.setup()
    except Exception as error:  # the database's driver is missing, say
        print(Check("django", False, _first_line(error)))
        print("configuration is NOT valid")
        return 1
    good = validate_config(options.pool)
    print("configuration is valid" if good else "configuration is NOT valid")
    return 0 if good else 1
