"""Is a worker that is told to stop gone in time, and is nothing lost or run twice by it?"""
