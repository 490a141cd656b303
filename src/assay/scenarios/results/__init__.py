"""Results: what is stored of an outcome, and who is told of it, when the backend is away, and over restarts."""
