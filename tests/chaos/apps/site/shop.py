"""Django without results: settings in a CELERY_ namespace, tasks found in the installed apps."""

import os

from celery import Celery
from django.core import checks

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop_settings")
app = Celery("shop")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@checks.register
def noted(**_: object) -> list[checks.CheckMessage]:
    with open(os.environ.get("SHOP_CHECKS", os.devnull), "a") as file:
        file.write(f"{os.getpid()}\n")
    return []
