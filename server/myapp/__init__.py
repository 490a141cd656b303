"""Scripts, templates, executions: what AutoTest is about."""
