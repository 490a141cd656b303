"""The JSON API, /api/v1/. Sign in with the session (unsafe methods then need the CSRF token) or with an API token."""
