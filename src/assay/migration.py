"""Django's tables in a private SQLite file, made once in a run and copied for each cluster."""

import contextlib
import sys
import traceback
from collections.abc import Iterator, Sequence

from assay.boot import NO_MIGRATIONS
from assay.redirect import use_databases
from assay.unmigrated import unmigrated

GRAPH = "django.db.migrations.exceptions"  # of migrations that do not fit together, or are none
CONFLICT = "Conflicting migrations detected"
VENDOR = "or let a migration for another database do nothing where schema_editor.connection.vendor is 'sqlite'"


def migrate(files: dict[str, str], fixtures: Sequence[str] = (), *, migrations: bool = True) -> str:
    """Run every migration on each alias, then load the fixtures into the default one. Returns what is to be told of it.

    Without `migrations`, and where the app's own tests do without them (TEST: {"MIGRATE": False} of a database), the
    tables are made from the models. On failure prints what a user needs on the last line and exits with 3.
    """
    from django.core.management import call_command
    from django.db import connections

    use_databases(files)
    by_migrations = False
    for alias in files:
        migrated = migrations and connections[alias].settings_dict["TEST"].get("MIGRATE", True) is not False
        by_migrations |= migrated
        try:
            with contextlib.nullcontext() if migrated else _no_migrations():
                call_command("migrate", database=alias, verbosity=0, interactive=False, run_syncdb=not migrated)
            missing = _missing(alias)
        except Exception as error:
            traceback.print_exc()
            print(
                f"MIGRATION: migrating a private SQLite copy of the database {alias!r} failed: "
                f"{type(error).__name__}: {' '.join(str(error).split())}; {remedy(error, migrated=migrated)}"
            )
            sys.exit(3)
        finally:
            connections[alias].close()
        if missing:
            print(
                f"MIGRATION: {', '.join(missing)} {'has' if len(missing) == 1 else 'have'} no table "
                f"after migrating {alias!r}: a migration is missing; run `python manage.py makemigrations`"
            )
            sys.exit(3)
    if fixtures:
        _load(fixtures)
    return unmigrated() if by_migrations else ""


def remedy(error: Exception, *, migrated: bool = True) -> str:
    """What to do about an error of migrating: the migrations may be broken for every database."""
    broken = type(error).__module__ == GRAPH or isinstance(error, SyntaxError | ImportError)
    if broken or str(error).startswith(CONFLICT):
        mended = "the migrations themselves are to be mended, until `python manage.py migrate --plan` takes them"
        return f"{mended}; {NO_MIGRATIONS} meanwhile" if migrated else mended
    return "a run keeps Django's databases on SQLite" + (f": {NO_MIGRATIONS}; {VENDOR}" if migrated else "")


@contextlib.contextmanager
def _no_migrations() -> Iterator[None]:
    """No app has any meanwhile, as where Django's own test runner is told so (create_test_db)."""
    from django.apps import apps
    from django.conf import settings

    before = settings.MIGRATION_MODULES
    settings.MIGRATION_MODULES = {config.label: None for config in apps.get_app_configs()}
    try:
        yield
    finally:
        settings.MIGRATION_MODULES = before


def _load(fixtures: Sequence[str]) -> None:
    from django.core.management import call_command
    from django.db import connections

    try:
        call_command("loaddata", *fixtures, verbosity=0)
    except Exception as error:
        traceback.print_exc()
        said = " ".join(str(error).split())
        print(f"MIGRATION: loading the fixtures {', '.join(fixtures)} failed: {type(error).__name__}: {said}")
        sys.exit(3)
    finally:
        connections.close_all()


def _missing(alias: str) -> list[str]:
    """Models that this database should have a table for and has not."""
    from django.apps import apps
    from django.db import connections, router

    tables = set(connections[alias].introspection.table_names())
    return [
        model._meta.label
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed
        and not model._meta.proxy
        and not model._meta.swapped
        and router.allow_migrate_model(alias, model)
        and model._meta.db_table not in tables
    ]
