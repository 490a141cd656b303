"""What is told to do where Django's tables cannot be made, and of models that are not as their migrations."""

import pytest
from django.core.management import CommandError
from django.db import OperationalError
from django.db.migrations.exceptions import BadMigrationError, CircularDependencyError, NodeNotFoundError

from assay import unmigrated
from assay.migration import remedy

SQLITE = "schema_editor.connection.vendor"
BROKEN = [
    NodeNotFoundError("Migration shop.0002 dependencies reference nonexistent parent", ("shop", "0001_gone")),
    CircularDependencyError("shop.0001, shop.0002"),
    BadMigrationError("Migration 0001 in app shop has no Migration class"),
    SyntaxError("invalid syntax"),
    ModuleNotFoundError("No module named 'shop.old'"),
    CommandError("Conflicting migrations detected; multiple leaf nodes in the migration graph"),
]


@pytest.mark.parametrize("error", BROKEN)
def test_given_migrations_that_are_broken_for_every_database_then_they_are_to_be_mended(error: Exception) -> None:
    told = remedy(error)
    assert told.startswith("the migrations themselves are to be mended, until `python manage.py migrate --plan`")
    assert "--no-migrations" in told
    assert SQLITE not in told


@pytest.mark.parametrize("error", [OperationalError('near "EXTENSION": syntax error'), CommandError("no such thing")])
def test_given_what_sqlite_may_not_understand_then_a_way_around_it_is_told(error: Exception) -> None:
    assert SQLITE in remedy(error)


def test_given_a_run_without_migrations_then_no_migration_is_blamed() -> None:
    assert remedy(OperationalError("no such function"), migrated=False) == "a run keeps Django's databases on SQLite"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ([], ""),
        (
            ["shop: Add field note to order"],
            "models were changed without a migration (shop: Add field note to order): ",
        ),
        (["a", "b", "c", "d", "e"], "models were changed without a migration (a, b, c and 2 more): "),
    ],
)
def test_what_lacks_a_migration_is_told_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, changes: list[str], told: str
) -> None:
    monkeypatch.setattr(unmigrated, "_changes", lambda: changes)
    assert unmigrated.unmigrated().partition("the run's tables")[0] == told


@pytest.mark.parametrize("error", [ValueError("a field of their own"), SystemExit(3)])
def test_given_a_look_that_fails_then_the_run_goes_on(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail() -> list[str]:
        raise error

    monkeypatch.setattr(unmigrated, "_changes", fail)
    assert unmigrated.unmigrated() == ""
