"""The embedded broker's process: `python -m assay.brokers.fakeredis_server [--port N | --unix PATH] [--ready FD]`.

Says `{"host", "port", "pid"}` as one JSON line on the descriptor `--ready` (default: stdout) as soon as it serves. Ends
with its parent (PR_SET_PDEATHSIG), when the pipe `--parent-pipe` is closed at its other end, and on TERM or INT.
"""

import argparse
import contextlib
import gc
import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from typing import NoReturn

from assay.supervisor import die_with_parent


def main(argv: Sequence[str] | None = None) -> None:
    options = _options(argv)
    die_with_parent(os.getppid())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    listener = _bind(options)

    from assay.brokers.engine import Engine
    from assay.brokers.loop import Loop

    loop = Loop(Engine())
    loop.listen(listener)
    if options.parent_pipe is not None:
        loop.end_with(options.parent_pipe)
    gc.freeze()  # what the imports made lives for good: the collector need not look at it
    _tell(options.ready, listener)
    try:
        loop.run()
    finally:
        if options.unix:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(options.unix)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="assay.brokers.fakeredis_server")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--unix", default="", help="a Unix socket's path instead of a port")
    parser.add_argument("--ready", type=int, default=1, help="descriptor on which to say that it serves")
    parser.add_argument("--parent-pipe", type=int, default=None, help="end when this descriptor's other end is closed")
    return parser.parse_args(argv)


def _leave(number: int, frame: object) -> NoReturn:
    raise SystemExit(0)


def _bind(options: argparse.Namespace) -> socket.socket:
    try:
        if options.unix:
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(options.unix)
        else:
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((options.host, options.port))
    except OSError as error:
        where = options.unix or f"{options.host}:{options.port}"
        sys.exit(f"cannot listen on {where}: {error.strerror}")
    return listener


def _tell(fd: int, listener: socket.socket) -> None:
    name = listener.getsockname()
    where = {"unix": name} if isinstance(name, str) else {"host": name[0], "port": name[1]}
    os.write(fd, json.dumps({**where, "pid": os.getpid()}).encode() + b"\n")
    if fd > 2:
        os.close(fd)


if __name__ == "__main__":
    main()
