from django.apps import AppConfig


class MyAppConfig(AppConfig):
    name = "myapp"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "AutoTest"

    def ready(self) -> None:
        import celery_app  # noqa: F401 - the app that shared code publishes with
        from myapp import checks  # noqa: F401 - registers the system checks
