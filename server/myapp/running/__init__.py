"""Running a script: in a process of its own, within limits, and never longer than its task."""
