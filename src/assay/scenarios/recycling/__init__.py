"""Recycling: each child runs its number of tasks, is replaced, and loses nothing."""
