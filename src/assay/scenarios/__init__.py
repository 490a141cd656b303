"""The suites: one folder each, one situation a file."""
