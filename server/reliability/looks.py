"""What each verdict and each result of a comparison looks like: an icon, a colour that repeats it, and a word."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .models import Verdict


@dataclass(frozen=True)
class Look:
    icon: str
    colour: str
    word: str | Promise


VERDICTS = {
    Verdict.VIOLATED: Look("bad", "bad", Verdict.VIOLATED.label),
    Verdict.UNKNOWN: Look("unknown", "warn", Verdict.UNKNOWN.label),
    Verdict.HELD: Look("good", "good", Verdict.HELD.label),
}
KNOWN = Look("info", "idle", _("Known"))
#: by the exit code that `assay compare` would end with
COMPARISONS = {
    0: Look("good", "good", _("No worse")),
    1: Look("bad", "bad", _("Worse")),
    3: Look("unknown", "warn", _("Unknown")),
}
