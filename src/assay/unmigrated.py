"""What was changed in models without a migration. Runs in the process that migrates, in someone else's project."""

import traceback

from assay.counted import listed

SHOWN = 3


def unmigrated() -> str:
    """A sentence about what `makemigrations --check` would find; "" where there is nothing, or Django cannot tell.

    Never raises: a run does not need it. Source: django/core/management/commands/makemigrations.py.
    """
    try:
        found = _changes()
    except (Exception, SystemExit):  # of the user's own fields, or of a router
        traceback.print_exc()
        return ""
    if not found:
        return ""
    return (
        f"models were changed without a migration ({listed(found, SHOWN)}): the run's tables are as the migrations "
        "make them; run `python manage.py makemigrations`"
    )


def _changes() -> list[str]:
    """ "shop: Add field note to order", ..."""
    from django.apps import apps
    from django.db.migrations.autodetector import MigrationAutodetector
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.questioner import MigrationQuestioner
    from django.db.migrations.state import ProjectState
    from django.utils.translation import override

    with override(None):  # a text that is translated now is none that was changed
        loader = MigrationLoader(None, ignore_no_migrations=True)
        detector = MigrationAutodetector(
            loader.project_state(), ProjectState.from_apps(apps), MigrationQuestioner(dry_run=True)
        )
        changes = detector.changes(graph=loader.graph)
        return [
            f"{label}: {operation.describe()}"
            for label, made in sorted(changes.items())
            for migration in made
            for operation in migration.operations
        ]
