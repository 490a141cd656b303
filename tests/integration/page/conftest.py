"""A browser for the report page."""

from browser import programs

__all__ = ["programs"]
