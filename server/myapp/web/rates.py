"""Rate limits: at most N acts of one kind, by one caller, in one window.

The counters are rows in the database. The default cache lives in one process, so with four web workers a limit of ten
would be forty; a Redis cache is shared, but it is the broker, and a limit that fails together with the broker either
locks everybody out or lets a password guesser in. The database must be up for a login anyway, and its `count + 1` is
atomic, which `incr` of Django's database cache is not.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.http import HttpRequest

from .models import RateWindow

DEFAULT_LIMITS = {
    # name: (acts, window_s)
    "login": (5, 300),  # a user name tried from one address
    "login_address": (30, 300),  # one address trying many user names
    "run": (30, 60),
    "cancel": (60, 60),
    "write": (30, 60),  # templates and tokens
    "api": (600, 60),  # reads over the API, which pages do not share
    "upload": (60, 60),  # of reports, with one token
}


class TooMany(Exception):
    """The caller has used up a window; it opens again in `retry_after_s` seconds."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"too many requests, try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


@dataclass(frozen=True)
class Limit:
    acts: int
    window_s: int


def limit_for(name: str) -> Limit:
    chosen = {**DEFAULT_LIMITS, **getattr(settings, "RATE_LIMITS", {})}
    return Limit(*chosen[name])


def spend(name: str, caller: str) -> None:
    """Count one act of `caller` and raise TooMany when that was one too many."""
    limit, now_s = limit_for(name), int(time.time())
    starts_at_s = now_s - now_s % limit.window_s
    ends_at_s = starts_at_s + limit.window_s
    key = f"{name}:{caller}"[:160]
    window = RateWindow.objects.filter(key=key, starts_at_s=starts_at_s)
    if not window.update(count=F("count") + 1):
        _open_window(key, starts_at_s, ends_at_s)
        window.update(count=F("count") + 1)
    if window.values_list("count", flat=True).get() > limit.acts:
        raise TooMany(max(1, ends_at_s - now_s))


def _open_window(key: str, starts_at_s: int, ends_at_s: int) -> None:
    # Somebody who opens a window sweeps those that have closed, so that the table needs no job of its own.
    RateWindow.objects.filter(ends_at_s__lte=starts_at_s).delete()
    try:
        with transaction.atomic():
            RateWindow.objects.create(key=key, starts_at_s=starts_at_s, ends_at_s=ends_at_s)
    except IntegrityError:
        pass  # another process opened the same window between our look and our write


def address(request: HttpRequest) -> str:
    """The peer's address. X-Forwarded-For is read only behind the number of proxies that the settings name:
    anybody can send that header, and a guesser who may choose his address has no limit."""
    proxies = getattr(settings, "TRUSTED_PROXIES", 0)
    if proxies:
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
        if len(hops) >= proxies:
            return hops[-proxies]
    return str(request.META.get("REMOTE_ADDR", "unknown"))


def forgive(name: str, caller: str) -> None:
    """Take one act back: a login that succeeded was no guess."""
    now_s = int(time.time())
    open_now = RateWindow.objects.filter(key=f"{name}:{caller}"[:160], ends_at_s__gt=now_s, count__gt=0)
    open_now.update(count=F("count") - 1)
