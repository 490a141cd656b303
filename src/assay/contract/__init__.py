"""What is required of each task, by whom, and what of it the configuration cannot keep."""
