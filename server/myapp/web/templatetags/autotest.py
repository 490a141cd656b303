"""Marks that many pages draw: status, notices, navigation, durations."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from .. import words
from ..naming import execution_title

if TYPE_CHECKING:
    from ...models import Execution

register = template.Library()
NOTICE_ICONS = {"success": "good", "error": "bad", "warning": "warn", "info": "info", "debug": "info"}


@register.simple_tag
def icon(name: str) -> SafeString:
    return format_html('<svg class="icon" aria-hidden="true" focusable="false"><use href="#i-{}"/></svg>', name)


@register.simple_tag
def status(value: str) -> SafeString:
    """A status as icon and word; the colour only repeats them."""
    look = words.look(value)
    return format_html(
        '<span class="status {}" data-status="{}">{}{}</span>', look.colour, value, icon(look.icon), words.word(value)
    )


@register.simple_tag
def notice(level: str, text: object) -> SafeString:
    known = level if level in NOTICE_ICONS else "info"
    role = "alert" if known == "error" else "status"
    return format_html(
        '<div class="notice {}" role="{}">{}<p>{}</p></div>', known, role, icon(NOTICE_ICONS[known]), text
    )


@register.simple_tag(takes_context=True)
def nav_link(context: dict[str, Any], view: str, text: str) -> SafeString:
    address = reverse(view)
    path = context["request"].path
    here = path == address if address == reverse("web:dashboard") else path.startswith(address)
    return format_html('<a href="{}"{}>{}</a>', address, SafeString(' aria-current="page"') if here else "", text)


@register.filter
def seconds(value: float | None) -> str:
    """A duration in seconds as people say it: 0.42 s, 12.3 s, 4 min 05 s, 2 h 10 min."""
    if value is None:
        return "–"
    if value < 10:
        return _("%(s).2f s") % {"s": value}
    if value < 99.95:
        return _("%(s).1f s") % {"s": value}
    whole = round(value)
    if whole < 3600:
        return _("%(m)d min %(s)02d s") % {"m": whole // 60, "s": whole % 60}
    return _("%(h)d h %(m)02d min") % {"h": whole // 3600, "m": whole % 3600 // 60}


@register.filter
def percent(share: float | None) -> str:
    """A share between 0 and 1. Never rounds up to 100 %: one failure in a thousand must show."""
    if share is None:
        return "–"
    tenths = int(share * 1000)
    return f"{tenths // 10} %" if tenths % 10 == 0 else f"{tenths / 10:.1f} %"


@register.filter
def breakable(name: str) -> SafeString:
    """A dotted name that may be broken after its dots and underscores, rather than anywhere."""
    return SafeString(re.sub(r"([._/]+)", r"\1<wbr>", conditional_escape(name)))


@register.simple_tag
def moment(when: datetime | None) -> SafeString:
    """A time with seconds, today without its date; the whole of it, with its zone, for machines and on hovering."""
    if when is None:
        return SafeString("–")
    local = timezone.localtime(when)
    today = local.date() == timezone.localdate()
    shown = date_format(local, "H:i:s") if today else date_format(local, "Y-m-d H:i")
    whole = f"{local:%Y-%m-%d %H:%M:%S %Z}"
    return format_html('<time datetime="{}" title="{}">{}</time>', when.isoformat(), whole, shown)


@register.filter
def title(execution: Execution) -> str:
    """What people call an execution: its template's name, or the first telling line of its script."""
    return execution_title(execution)
