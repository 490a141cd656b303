"""Retries: as often, as late and where the task says, whatever dies meanwhile."""
