"""People, scripts and a stand-in for the queue: nothing here needs a broker or a worker."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import django
import pytest
from django.conf import settings as django_settings

if not django_settings.configured:
    # Not for the whole test run: with this variable set, Celery would set Django up in the tests of plain apps as well.
    sys.path.insert(0, str(Path(__file__).parents[3] / "server"))
    os.environ["DJANGO_SETTINGS_MODULE"] = "autotest.settings"
    django.setup()
    del os.environ["DJANGO_SETTINGS_MODULE"]

from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from myapp import services
from myapp.models import Execution, ScriptTemplate

SCHEMA = {
    "type": "object",
    "properties": {"service": {"type": "string", "maxLength": 20}, "count": {"type": "integer", "minimum": 1}},
    "required": ["service"],
    "additionalProperties": False,
}


@pytest.fixture
def make_client(db):
    def make(name, *permissions, enforce_csrf_checks=False, **flags):
        user = User.objects.create_user(name, password="correct horse", **flags)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client = Client(enforce_csrf_checks=enforce_csrf_checks)
        client.force_login(user)
        return client, user

    return make


@pytest.fixture
def visitor(make_client):
    return make_client("visitor")[0]


@pytest.fixture
def runner(make_client):
    return make_client("runner", "run_scripts")[0]


@pytest.fixture
def make_execution(db):
    def make(user, **fields):
        chosen = {
            "task": "myapp.views.celery_views.execute_python_script",
            "queue": "script_execution",
            "status": "running",
            "source": "print('hello')",
            "started_at": timezone.now(),
        }
        return Execution.objects.create(created_by=user, **{**chosen, **fields})

    return make


@pytest.fixture
def template(db):
    made = ScriptTemplate.objects.create(name="Smoke test", description="Asks once.")
    made.versions.create(number=1, source="print({{ service }})", parameter_schema=SCHEMA)
    return made


@pytest.fixture
def submitted(monkeypatch):
    """What was given to the queue; an execution is recorded for each, as the real service does."""
    given = []

    def script(user, **asked):
        given.append(asked)
        return Execution.objects.create(created_by=user, queue="script_execution", task="t", source=asked["source"])

    def of_template(user, version, parameters):
        given.append(parameters)
        return Execution.objects.create(created_by=user, queue="dynamic_script", task="t", parameters=parameters)

    monkeypatch.setattr(services, "submit_script", script)
    monkeypatch.setattr(services, "submit_template", of_template)
    return given


@pytest.fixture(autouse=True)
def _quick(settings, tmp_path):
    """Hashing a password slowly is right in production, and most of a test's time."""
    settings.STATIC_ROOT = tmp_path  # there, so that WhiteNoise does not warn
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
