"""A model that was changed without a migration is told before a run; one that was not is not."""

from pathlib import Path

import pytest
from django_site import DJANGO

from assay.process import Supervisor
from assay.warm import Zygote

FILES = DJANGO | {
    "shop/models.py": """
from django.db import models
from django.utils.translation import gettext_lazy as translated
class Order(models.Model):
    id = models.AutoField(primary_key=True, verbose_name="ID", auto_created=True, serialize=False)
    total = models.IntegerField(translated("total"))
""",
    "shop/migrations/0001_initial.py": """
from django.db import migrations, models
class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel("Order", [
            ("id", models.AutoField(primary_key=True, verbose_name="ID", auto_created=True, serialize=False)),
            ("total", models.IntegerField(verbose_name="total")),
        ])
    ]
""",
}
ADDED = '    note = models.CharField(translated("note"), max_length=9)\n'


def told(folder: Path, further: str, *, migrations: bool = True) -> list[str]:
    """What the user is told of a project whose models have further lines, once its private database is there."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    with (folder / "shop/models.py").open("a") as models:
        models.write(further)
    with Supervisor() as supervisor:
        zygote = Zygote(supervisor, "site_app:app", folder, env={}, migrations=migrations)
        assert "default" in zygote.prepare_databases()
        return zygote.subject.warnings


def test_given_a_field_without_its_migration_then_that_is_told(tmp_path: Path) -> None:
    [warning] = told(tmp_path, ADDED)
    assert warning.startswith("models were changed without a migration (shop: Add field note to order): ")
    assert "makemigrations" in warning


@pytest.mark.parametrize(("further", "migrations"), [("", True), (ADDED, False)], ids=["migrated", "no-migrations"])
def test_given_nothing_that_lacks_a_migration_or_a_run_without_them_then_nothing_is_told(
    tmp_path: Path, further: str, migrations: bool
) -> None:
    assert told(tmp_path, further, migrations=migrations) == []
