"""Narrowing a list of executions down, the same on the page and in the API."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from celery_app.configuration import QUEUES

from ..models import Execution, Status


class FilterForm(forms.Form):
    q = forms.CharField(label=_("Search"), required=False, max_length=100)
    status = forms.ChoiceField(label=_("Status"), required=False)
    queue = forms.ChoiceField(label=_("Queue"), required=False)
    user = forms.CharField(label=_("By"), required=False, max_length=150)
    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, data: Any = None, *, everybody: bool, **more: Any) -> None:
        super().__init__(data, **more)
        anything = ("", _("Any"))
        self.fields["status"].choices = [anything, *Status.choices]  # type: ignore[attr-defined]
        self.fields["queue"].choices = [anything, *((name, name) for name in sorted(QUEUES))]  # type: ignore[attr-defined]
        if not everybody:
            del self.fields["user"]  # would only ever find oneself

    def narrow(self, executions: QuerySet[Execution]) -> QuerySet[Execution]:
        """What the form asks for; a field that is wrong narrows nothing and shows its error."""
        if not self.is_bound:
            return executions
        self.is_valid()
        asked = {name: value for name, value in self.cleaned_data.items() if value}
        if text := asked.get("q"):
            executions = executions.filter(Q(name__icontains=text) | Q(source__icontains=text))
        if status := asked.get("status"):
            executions = executions.filter(status=status)
        if queue := asked.get("queue"):
            executions = executions.filter(queue=queue)
        if user := asked.get("user"):
            executions = executions.filter(created_by__username__icontains=user)
        if since := asked.get("since"):
            executions = executions.filter(created_at__gte=timezone.make_aware(datetime.combine(since, time.min)))
        if until := asked.get("until"):
            executions = executions.filter(created_at__lte=timezone.make_aware(datetime.combine(until, time.max)))
        return executions
