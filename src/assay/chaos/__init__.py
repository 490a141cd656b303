"""Chaos runs: many faults at exact points of a loaded cluster, drawn from a seed, replayed and made smaller."""
