"""The whole service for page tests: a private Redis, a migrated database, a prefork worker and a web server.

Web server and worker are processes of their own, started as a deployment starts them, with nothing but the environment:
a live server inside of the test process would share settings, broker connection and database with the tests.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from assay.broker import start
from assay.process import Supervisor

HERE = Path(__file__).parent
SERVER = HERE.parents[2] / "server"
PASSWORD = "correct horse battery"
PEOPLE = """
from django.contrib.auth.models import Permission, User
from myapp.models import ScriptTemplate
wei = User.objects.create_user("wei", password={password!r})
wei.user_permissions.set(Permission.objects.filter(codename__in=["run_scripts", "add_templateversion", "view_report"]))
User.objects.create_user("visitor", password={password!r})
made = ScriptTemplate.objects.create(name="Greeting", description="Greets somebody, a number of times.")
schema = {{"type": "object", "required": ["who"], "properties": {{
    "who": {{"type": "string", "title": "Who", "maxLength": 40}},
    "times": {{"type": "integer", "title": "How often", "minimum": 1, "maximum": 9, "default": 2}}}}}}
made.versions.create(number=1, source="for n in range(PARAMETERS['times']): print('Hello', PARAMETERS['who'])",
                     parameter_schema=schema)
"""


@dataclass(frozen=True)
class Site:
    url: str
    folder: Path
    env: dict[str, str]

    def manage(self, *arguments: str) -> str:
        """What `python manage.py` says."""
        command = [sys.executable, "manage.py", *arguments]
        said = subprocess.run(command, cwd=SERVER, env=self.env, check=True, capture_output=True, text=True)
        return said.stdout.strip()


@contextmanager
def site(folder: Path) -> Iterator[Site]:
    """Serving and working when it is entered; nothing of it is left afterwards."""
    with Supervisor() as supervisor, ExitStack() as stack:
        broker = start("redis", folder / "broker", supervisor.spawn)
        stack.callback(broker.stop)
        env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("CELERY", "DJANGO"))},
            "DATABASE_URL": f"sqlite:///{folder / 'page.sqlite3'}",
            "REDIS_URL": broker.url(0),
            "SCRIPT_ROOT": str(folder),
            "DEBUG": "false",
            "PYTHONWARNINGS": "ignore:No directory at",
        }
        manage = [sys.executable, "manage.py"]
        subprocess.run([*manage, "migrate", "-v0"], cwd=SERVER, env=env, check=True)
        people = PEOPLE.format(password=PASSWORD)
        subprocess.run([*manage, "shell", "-v0", "-c", people], cwd=SERVER, env=env, check=True)
        celery = [sys.executable, "-m", "celery", "-A", "celery_app", "worker", "-c", "2", "--without-mingle"]
        worker = Spoken([*celery, "-n", "page@%h"], env, SERVER)
        stack.callback(worker.stop)
        web = Spoken([sys.executable, str(HERE / "serve_autotest.py")], env, SERVER)
        stack.callback(web.stop)
        port = web.wait_for("serving ").split()[-1]
        worker.wait_for(" is ready: pool ")
        yield Site(f"http://127.0.0.1:{port}", folder, env)


class Spoken:
    """A process whose lines are read as they come, so that being ready is something that it says."""

    def __init__(self, argv: list[str], env: dict[str, str], cwd: Path) -> None:
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            argv, env=env, cwd=cwd, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def wait_for(self, words: str) -> str:
        """The line with these words; an error with the last words where the process ends without it."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line)
            if words in line:
                # Goes on being read, or the process would block on a full pipe.
                Thread(target=self.lines.extend, args=(self._process.stdout,), daemon=True).start()
                return line
        raise AssertionError(f"ended with {self._process.wait()}:\n{''.join(self.lines[-30:])}")

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
