"""Django's tables in a private SQLite file, made once in a run and copied for each cluster."""

import sys
import traceback
from collections.abc import Sequence

from assay.redirect import use_databases


def migrate(files: dict[str, str], fixtures: Sequence[str] = ()) -> None:
    """Run every migration on each alias, then load the fixtures into the default one.

    On failure prints what a user needs on the last line and exits with 3.
    """
    from django.core.management import call_command
    from django.db import connections

    use_databases(files)
    for alias in files:
        try:
            call_command("migrate", database=alias, verbosity=0, interactive=False, run_syncdb=False)
            missing = _missing(alias)
        except Exception as error:
            traceback.print_exc()
            print(
                f"MIGRATION: migrating a private SQLite copy of the database {alias!r} failed: "
                f"{type(error).__name__}: {' '.join(str(error).split())}; a run keeps Django's databases on SQLite: "
                "let a migration for another database do nothing where schema_editor.connection.vendor is 'sqlite'"
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
