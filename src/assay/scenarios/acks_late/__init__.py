"""Acknowledgement: what becomes of a task whose process dies, and of its neighbours."""
