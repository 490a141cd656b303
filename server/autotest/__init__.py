"""The Django project of AutoTest."""
