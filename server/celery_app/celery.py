"""AutoTest 的 Celery 应用 / AutoTest's Celery app.

`python celery_app/celery.py` checks the configuration: one line a check, exit 0 or 1.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    # Run as a script, this file's own folder is first on sys.path, where "celery" is this very file: every
    # `from celery import Celery` would import it again and fail. The folder above is what is meant.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from autotest.environment import Refused

    try:
        from celery_app.validation import main
    except Refused as refused:
        print(f"FAIL environment: {refused.text}")
        print("configuration is NOT valid")
        sys.exit(1)
    sys.exit(main(sys.argv[1:]))

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "autotest.settings")

from autotest.environment import environment
from celery_app import announcing
from celery_app.configuration import known, settings
from celery_app.reliable import ReliableTask
from celery_app.results import AutoTest
from myapp.running import closing

app = AutoTest("celery_app", task_cls=ReliableTask)
app.conf.update(known(settings(environment())))
announcing.connect()
closing.connect()
