"""Canvas: chains, groups, chords, replacements and callbacks of the task, with a failure or a kill at each place."""
