"""AutoTest's WSGI application on a free port of loopback, which is printed. Configured by the environment alone."""

import os
import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

sys.path.insert(0, str(Path(__file__).parents[3] / "server"))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "autotest.settings")

from django.conf import settings

settings.WHITENOISE_USE_FINDERS = True  # serve static files from where they are, as no collectstatic was run


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 64


class Handler(WSGIRequestHandler):
    def address_string(self) -> str:
        return str(self.client_address[0])  # without asking a name server


if __name__ == "__main__":
    from autotest.wsgi import application

    with make_server("127.0.0.1", 0, application, Server, Handler) as server:
        print(f"serving {server.server_port}", flush=True)
        server.serve_forever()
