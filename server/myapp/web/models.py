"""What only the web needs to remember: how often somebody did something, and who may come in with a token."""

from __future__ import annotations

import hashlib
import secrets

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

TOKEN_PREFIX = "autotest_"  # makes a leaked token easy to find for secret scanners


class RateWindow(models.Model):
    """How often one caller did one thing in one fixed window of time; see `rates.py`."""

    key = models.CharField(max_length=160)
    starts_at_s = models.BigIntegerField(help_text=_("start of the window, seconds since 1970"))
    ends_at_s = models.BigIntegerField(db_index=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "starts_at_s"], name="web_one_window_per_key")]

    def __str__(self) -> str:
        return f"{self.key} from {self.starts_at_s}: {self.count}"


class ApiToken(models.Model):
    """A way in for programs. Only the hash is kept: the token has 256 random bits, so a plain fast hash is enough."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(_("name"), max_length=80)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.user})"

    @staticmethod
    def digest_of(token: str) -> str:
        return hashlib.sha256(token.encode()).hexdigest()

    @classmethod
    def issue(cls, user: User, name: str) -> tuple[ApiToken, str]:
        """Make a token; its text is returned this once and can never be read again."""
        text = TOKEN_PREFIX + secrets.token_urlsafe(32)
        return cls.objects.create(user=user, name=name, digest=cls.digest_of(text)), text
