"""Narrowing reports down, and choosing two of them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .access import listed
from .models import Report, Verdict

ANY = ("", _("Any"))
MOST_CHOICES = 200  # reports in a list to choose from


def names(field: str, reports: QuerySet[Report]) -> list[str]:
    """What stands in this field of any of them, in order."""
    return list(reports.exclude(**{field: ""}).order_by(field).values_list(field, flat=True).distinct())


class FilterForm(forms.Form):
    app = forms.ChoiceField(label=_("App"), required=False)
    branch = forms.ChoiceField(label=_("Branch"), required=False)
    verdict = forms.ChoiceField(label=_("Verdict"), required=False, choices=[ANY, *Verdict.choices])

    def __init__(self, data: Any = None, **more: Any) -> None:
        super().__init__(data, **more)
        for name in ("app", "branch"):
            found = [ANY, *((each, each) for each in names(name, Report.objects.all()))]
            self.fields[name].choices = found  # type: ignore[attr-defined]

    def narrow(self, reports: QuerySet[Report]) -> QuerySet[Report]:
        """What the form asks for; a field that is wrong narrows nothing and shows its error."""
        if not self.is_bound:
            return reports
        self.is_valid()
        return reports.filter(**{name: value for name, value in self.cleaned_data.items() if value})


class TrendForm(FilterForm):
    """Of one app, so one is always chosen: that of the newest report, at first."""

    verdict = None  # type: ignore[assignment]

    def __init__(self, data: Any = None, **more: Any) -> None:
        newest = Report.objects.order_by("-started_at").values_list("app", flat=True).first()
        given = {"app": (data or {}).get("app") or newest or "", "branch": (data or {}).get("branch", "")}
        super().__init__(given, **more)


class TwoForm(forms.Form):
    """Any two reports, and whether the earlier runs of the first one's branch count as well."""

    base = forms.UUIDField(label=_("Base"), required=False, widget=forms.Select)
    current = forms.UUIDField(label=_("Current"), required=False, widget=forms.Select)
    earlier = forms.BooleanField(label=_("With earlier runs of the base's branch"), required=False)

    def chosen(self) -> tuple[Report, Report] | None:
        """Both of them; None where none are asked for, or one is not there, which is told at its field."""
        if not self.is_bound or not self.is_valid():
            return None
        found = [listed().filter(pk=self.cleaned_data[name]).first() for name in PAIR]
        for name, report in zip(PAIR, found, strict=True):
            if report is None:
                self.add_error(name, _("There is no such report."))
        base, current = found
        return (base, current) if base and current else None

    def offer(self, pair: tuple[Report, Report] | None) -> None:
        """Put the newest reports, those of the current one's app, and the two themselves into the lists."""
        among = listed().filter(app=pair[1].app) if pair else listed()
        reports = {each.pk: each for each in [*(pair or ()), *among[:MOST_CHOICES]]}
        ordered = sorted(reports.values(), key=lambda each: each.started_at, reverse=True)
        for name in PAIR:
            choices = [(str(each.pk), told(each)) for each in ordered]
            self.fields[name].widget.choices = choices  # type: ignore[attr-defined]


PAIR = ("base", "current")


def told(report: Report) -> str:
    """A report in one line: "2026-03-01 12:00 · shop · main · 1a2b3c4 · Violated"."""
    when = f"{timezone.localtime(report.started_at):%Y-%m-%d %H:%M}"
    parts = (when, report.app, report.branch, report.commit[:7], str(Verdict(report.verdict).label))
    return " · ".join(part for part in parts if part)
