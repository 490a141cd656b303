"""Errors that the harness raises. A failed property of the app under test is never one of these: it is a Verdict."""


class AssayError(Exception):
    """Something the harness could not do. `exit_code` says whose fault it was (see docs/exit-codes.md)."""

    exit_code = 4


class UsageError(AssayError):
    """The user's input cannot be used: what was wrong, where, and the remedy are in the message."""

    exit_code = 2


class NotShownError(AssayError):
    """What was to be looked into did not show itself this time, so nothing is known of it."""

    exit_code = 3


class HarnessError(AssayError):
    """The harness itself broke: a process of its own died, a deadline of its own passed."""
