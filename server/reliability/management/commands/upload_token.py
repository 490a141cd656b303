"""`python manage.py upload_token NAME [--app APP]`, `--list`, `--revoke KEY`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from reliability.models import MOST_NAME, UploadToken


class Command(BaseCommand):
    help = "Make a token for CI to upload reports with, and print it this once; or list or revoke those that there are."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("name", nargs="?", help="what it is for, to know it by later")
        what.add_argument("--list", action="store_true", help="show all tokens, without their secrets")
        what.add_argument("--revoke", metavar="KEY", help="the eight characters after autotest_ci_")
        parser.add_argument("--app", default="", help="only reports of this app may be uploaded with it")

    def handle(self, *args: Any, name: str | None, list: bool, revoke: str | None, app: str, **options: Any) -> None:
        if list:
            for token in UploadToken.objects.all():
                state = "revoked" if token.revoked_at else f"last used {token.last_used_at or 'never'}"
                self.stdout.write(f"{token.key}  {token.name}  {token.app or 'any app'}  {state}")
        elif revoke:
            if not UploadToken.objects.filter(key=revoke, revoked_at=None).update(revoked_at=timezone.now()):
                raise CommandError(f"There is no valid token with the key {revoke}: --list shows them.")
            self.stdout.write(f"{revoke} is no longer valid.")
        else:
            if not name or len(name) > 80 or len(app) > MOST_NAME:
                raise CommandError(f"A name has 1 to 80 characters, and an app at most {MOST_NAME}.")
            self.stdout.write(UploadToken(name=name, app=app).renew())
