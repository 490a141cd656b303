"""`python manage.py validate_config [--pool POOL]`."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Check Celery's configuration: exit 0 when every check passed, 1 otherwise."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--pool", default="prefork", help="the pool that workers are started with")

    def handle(self, *args: Any, pool: str, **options: Any) -> None:
        from celery_app.validation import validate_config

        if not validate_config(pool, self.stdout.write):
            sys.exit(1)
