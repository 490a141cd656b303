"""Reports that CI has uploaded, and the tokens that it does so with."""

from __future__ import annotations

import gzip
import hashlib
import secrets
import uuid

from django.db import models
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

import assay.report
from assay.reports import json
from myapp.web.models import TOKEN_PREFIX

UPLOAD_PREFIX = f"{TOKEN_PREFIX}ci_"
MOST_NAME = 200  # characters of an app's name or a branch
MOST_WORDS = 400  # of what lists show in Assay's words


class Verdict(models.TextChoices):
    """Assay's verdicts, worst first, with the words of this site."""

    VIOLATED = "violated", _("Violated")
    UNKNOWN = "unknown", _("Unknown")
    HELD = "held", _("Held")


class UploadToken(models.Model):
    """A way in for CI, to upload and for nothing else. Its text is `autotest_ci_<key>_<secret>`.

    It is found by its key, which may be shown; of the secret, 256 random bits, only a hash is kept.
    """

    name = models.CharField(_("name"), max_length=80)
    app = models.CharField(_("only for the app"), max_length=MOST_NAME, blank=True, help_text=_("Empty: any app."))
    key = models.CharField(_("key"), max_length=8, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("upload token")
        verbose_name_plural = _("upload tokens")

    def __str__(self) -> str:
        return f"{self.name} ({self.key})"

    def renew(self) -> str:
        """Give it a new secret and save it; the token's text is returned this once and can never be read again."""
        secret = secrets.token_urlsafe(32)
        self.key, self.digest = secrets.token_hex(4), _hashed(secret)
        self.save()
        return f"{UPLOAD_PREFIX}{self.key}_{secret}"

    @classmethod
    def of(cls, text: str) -> UploadToken | None:
        """The token with this text, unless it was revoked. An unknown key takes as long as a wrong secret."""
        key, _, secret = text.removeprefix(UPLOAD_PREFIX).partition("_")
        found = cls.objects.filter(key=key, revoked_at=None).first() if text.startswith(UPLOAD_PREFIX) else None
        right = constant_time_compare(_hashed(secret), found.digest if found else _hashed(""))
        return found if right and found else None


class Report(models.Model):
    """One run, as it was uploaded. `report` and `page` are gzipped; what lists show and filter by is beside them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)  # of report.json: a second upload is the same
    app = models.CharField(_("app"), max_length=MOST_NAME)
    branch = models.CharField(_("branch"), max_length=MOST_NAME, blank=True)
    commit = models.CharField(_("commit"), max_length=64, blank=True)
    verdict = models.CharField(_("verdict"), max_length=20, choices=Verdict)
    stack = models.CharField(_("environment"), max_length=MOST_WORDS, blank=True)
    tally = models.CharField(max_length=MOST_WORDS, blank=True)
    started_at = models.DateTimeField(_("started"))
    duration_s = models.FloatField(default=0)
    token = models.ForeignKey(UploadToken, null=True, on_delete=models.SET_NULL, verbose_name=_("uploaded with"))
    uploaded_at = models.DateTimeField(_("uploaded"), default=timezone.now, editable=False)
    report = models.BinaryField()
    page = models.BinaryField(null=True)

    class Meta:
        ordering = ["-started_at"]
        default_permissions = ("view", "delete")
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        indexes = [
            models.Index(fields=["app", "branch", "-started_at"], name="reliability_by_branch"),
            models.Index(fields=["-started_at"], name="reliability_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.app} {self.started_at:%Y-%m-%d %H:%M} ({self.verdict})"

    @property
    def text(self) -> bytes:
        """report.json, byte for byte."""
        return gzip.decompress(self.report)

    def read(self) -> assay.report.Report:
        """What it says. Raises UsageError where this version of Assay cannot read it any more."""
        found = json.parse(self.text, f"the report of {self.started_at:%Y-%m-%d %H:%M}")
        found.started_at = self.started_at.isoformat()  # all of one form: Assay orders runs by this text
        return found


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
