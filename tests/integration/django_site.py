"""A Django project with one model and no migration, and a Celery app that sets Django up."""

DJANGO = {
    "site_settings.py": """
SECRET_KEY = "x"
INSTALLED_APPS = ["shop"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "shop.sqlite3"}}
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
""",
    "site_app.py": """
import os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_settings")
import django
django.setup()
from celery import Celery
app = Celery("site", broker="redis://localhost:6379/0")
@app.task
def work(): return 1
""",
    "shop/__init__.py": "",
    "shop/models.py": "from django.db import models\nclass Order(models.Model):\n    total = models.IntegerField()\n",
    "shop/migrations/__init__.py": "",
}
