"""One process's own event files, appended to through memory: no system call for an event, and a kill loses none.

What is stored in a shared mapping belongs to the file at once, whoever dies then. Each window is a file of its own;
what of it was not reached stays NUL, which no event contains. Imported inside the worker under test: standard library
only.
"""

import contextlib
import mmap
import os
from io import FileIO
from time import monotonic_ns

FIRST, LARGEST = 1 << 15, 1 << 20  # bytes of a window; each is twice as large as the one before


class Tape:
    """Appends lines of the process `pid` to files in `folder`. Safe between threads and in signal handlers.

    One line is one call of `mmap.write`, which copies and moves on under the interpreter's lock, or does neither.
    """

    def __init__(self, folder: str, pid: int) -> None:
        self._folder = folder
        self._pid = pid
        self._size = FIRST
        self._window = self._next(FIRST)

    def write(self, line: bytes) -> None:
        """Raises OSError where there is no room on the disk for another window."""
        while True:
            window = self._window
            try:
                window.write(line)
                return
            except ValueError:  # it is full
                self._size = max(min(self._size * 2, LARGEST), len(line))
                self._window = self._next(self._size)
                window.end()

    def _next(self, size: int) -> "Window | Plain":
        path = f"{self._folder}/{self._pid}-{monotonic_ns()}.jsonl"
        file = FileIO(path, "x+")
        try:
            # A full disk is an error here; later it would be SIGBUS. The C library does it by hand where the file
            # system cannot, but not for a file that is opened to append.
            os.posix_fallocate(file.fileno(), 0, size)
        except OSError:
            file.close()
            os.unlink(path)
            raise
        try:
            memory = mmap.mmap(file.fileno(), size)
        except OSError:  # some file systems of virtual machines share no memory
            file.truncate(0)
            file.seek(0)
            return Plain(file)
        file.close()
        return Window(path, memory)

    def close(self) -> None:
        """Give back what was not reached. What is written afterwards goes to another window."""
        self._window.end()


class Window:
    """A file in memory. `write` raises ValueError where a line does not fit any more."""

    def __init__(self, path: str, memory: mmap.mmap) -> None:
        self._path = path
        self._memory = memory
        self.write = memory.write

    def end(self) -> None:
        """Nothing can be written to it afterwards; another thread may be about to, and beyond its end were SIGBUS."""
        while room := len(self._memory) - self._memory.tell():
            with contextlib.suppress(ValueError):  # somebody was faster
                self._memory.write(bytes(room))
                os.truncate(self._path, len(self._memory) - room)


class Plain:
    """A file that is written to by system calls. It is closed with its process."""

    def __init__(self, file: FileIO) -> None:
        self.write = file.write

    def end(self) -> None:
        """It holds nothing back."""


def whole(data: bytes) -> tuple[bytes, bytes]:
    """(complete lines, the unfinished rest) of what was read from a file; nothing that was not reached."""
    lines, newline, rest = data.partition(b"\0")[0].rpartition(b"\n")
    return lines + newline, rest


def ends(data: bytes) -> bool:
    """Whether the first NUL in `data`, which goes on to the end of its file, is where it was not reached.

    One line may follow that a kill tore while it was being copied.
    """
    return b"\n" not in data.partition(b"\0")[2].rstrip(b"\0").removesuffix(b"\n")
