"""Marks of the reliability pages: verdicts, results of comparisons, and Assay's own headings in the reader's words."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from assay.reports.words import plain as printable
from myapp.web.templatetags.autotest import icon

from ..looks import COMPARISONS, KNOWN, VERDICTS, Look
from ..models import Verdict

register = template.Library()


@register.simple_tag
def verdict(value: str, known: str = "") -> SafeString:
    """A verdict as icon and word; `known` is the team's reason to accept a violation."""
    return _status(KNOWN if known else VERDICTS[Verdict(value)], "known" if known else value)


@register.simple_tag
def comparison(exit_code: int) -> SafeString:
    return _status(COMPARISONS[exit_code], f"compare-{exit_code}")


@register.filter
def translated(text: str) -> str:
    """One of Assay's fixed sentences, where there is a translation of it."""
    return gettext(text)


@register.filter
def plain(text: object) -> str:
    """Text of a report without what could turn the reading direction or hide in it."""
    return printable(str(text))


def _status(look: Look, key: str) -> SafeString:
    return format_html(
        '<span class="status {}" data-verdict="{}">{}{}</span>', look.colour, key, icon(look.icon), look.word
    )
