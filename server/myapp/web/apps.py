from django.apps import AppConfig


class WebConfig(AppConfig):
    """A Django app of its own, so that what only the web needs (rate windows, API tokens) has its own migrations."""

    name = "myapp.web"
    label = "web"
    verbose_name = "AutoTest web"
    default_auto_field = "django.db.models.BigAutoField"
