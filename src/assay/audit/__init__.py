"""What a configuration claims, setting by setting, and which of its claims cannot hold: before anything is run."""
