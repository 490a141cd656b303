"""Routing: each task on its queue, only there, and no queue in the way of another."""
