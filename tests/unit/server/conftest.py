"""AutoTest's Django for the tests of its parts; nothing here needs a broker or a worker."""

import os
import sys
from pathlib import Path

import django
from django.conf import settings as django_settings

if not django_settings.configured:
    # Not for the whole test run: with this variable set, Celery would set Django up in the tests of plain apps as well.
    sys.path.insert(0, str(Path(__file__).parents[3] / "server"))
    os.environ["DJANGO_SETTINGS_MODULE"] = "autotest.settings"
    django.setup()
    del os.environ["DJANGO_SETTINGS_MODULE"]
