"""What was asked for, and what became of it: one Execution for an invocation, an Attempt for each start of its body."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Running")
    RETRYING = "retrying", _("Waiting to retry")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    TIMED_OUT = "timed_out", _("Time limit exceeded")
    CANCELLED = "cancelled", _("Cancelled")
    LOST = "lost", _("Worker lost")
    PUBLISH_FAILED = "publish_failed", _("Not queued")


FINISHED = (Status.SUCCEEDED, Status.FAILED, Status.TIMED_OUT, Status.CANCELLED, Status.LOST, Status.PUBLISH_FAILED)


class Execution(models.Model):
    """One invocation; its id is Celery's task id, so a redelivered message finds the same row again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=200, blank=True)
    task = models.CharField(max_length=200)
    queue = models.CharField(max_length=50, db_index=True)
    template_version = models.ForeignKey("myapp.TemplateVersion", null=True, blank=True, on_delete=models.SET_NULL)
    source = models.TextField(blank=True)
    parameters = models.JSONField(default=dict, blank=True)
    arguments = models.JSONField(default=list, blank=True)
    environment = models.JSONField(default=dict, blank=True)
    working_directory = models.CharField(max_length=200, blank=True)
    timeout_s = models.PositiveIntegerField(null=True, blank=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.QUEUED, db_index=True)
    exit_code = models.IntegerField(null=True, blank=True)
    output = models.TextField(blank=True)
    output_truncated = models.BooleanField(default=False)
    error = models.TextField(blank=True)
    worker = models.CharField(max_length=200, blank=True)
    current_attempt = models.PositiveIntegerField(default=0)  # the fencing token: an older attempt may not write
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(default=timezone.now, db_index=True, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        permissions = [("run_scripts", _("Can run scripts"))]

    def __str__(self) -> str:
        return f"{self.task.rpartition('.')[2]} {str(self.pk)[:8]} ({self.status})"

    @property
    def duration_s(self) -> float | None:
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()

    @property
    def finished(self) -> bool:
        return self.status in FINISHED


class Attempt(models.Model):
    """One start of the body. A redelivery or a retry is another attempt of the same execution."""

    execution = models.ForeignKey(Execution, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    worker = models.CharField(max_length=200)
    pid = models.PositiveIntegerField(default=0)
    retries = models.PositiveIntegerField(default=0)
    redelivered = models.BooleanField(default=False)
    status = models.CharField(max_length=20, choices=Status, default=Status.RUNNING)
    exit_code = models.IntegerField(null=True, blank=True)
    error = models.TextField(blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["execution", "number"]
        constraints = [models.UniqueConstraint(fields=["execution", "number"], name="one_attempt_per_number")]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.execution_id} ({self.status})"

    @property
    def duration_s(self) -> float | None:
        return (self.finished_at - self.started_at).total_seconds() if self.finished_at else None


class InvocationStarts(models.Model):
    """How often an invocation was started, whatever died: what bounds a task that kills its worker every time."""

    invocation = models.CharField(primary_key=True, max_length=255)
    starts = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True, db_index=True)

    def __str__(self) -> str:
        return f"{self.invocation}: {self.starts}"

    @classmethod
    def count(cls, invocation: str) -> int:
        """Count one more start and return how many there were, this one included."""
        updated = cls.objects.filter(pk=invocation).update(starts=F("starts") + 1, updated_at=timezone.now())
        if not updated and cls.objects.get_or_create(pk=invocation, defaults={"starts": 1})[1]:
            return 1
        if not updated:  # another start was counted between the two
            return cls.count(invocation)
        return int(cls.objects.values_list("starts", flat=True).get(pk=invocation))
