"""Which change of settings makes a red row hold: tried, not guessed."""
