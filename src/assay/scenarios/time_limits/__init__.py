"""Time limits: enforced, and nothing is damaged or left behind by it."""
