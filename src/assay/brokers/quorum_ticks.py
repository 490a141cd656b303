"""Whether what RabbitMQ's API tells of quorum queues is newer than a moment.

It tells the numbers of each queue's last tick, every 5 s unless `quorum_tick_interval` says otherwise. A queue that is
made now has its first tick a whole interval later, when every other queue has had one since: so its message shows.
"""

import secrets
import time
from collections.abc import Callable, Mapping

MARK = "assay-tick-"


class Ticks:
    """Of one virtual host. `make` declares a quorum queue of that name with a message in it, `delete` deletes it."""

    def __init__(self, make: Callable[[str], None], delete: Callable[[str], None]) -> None:
        self._make = make
        self._delete = delete
        self._since_ns = 0
        self._name = ""
        self._begun_ns = 0

    def newer(self, than_ns: int, messages: Mapping[str, int]) -> bool:
        """Whether what is asked for from now on is newer than this moment (time.monotonic_ns()).

        `messages` is {queue: how many there are by its last tick}. Where it is not, that is on its way: ask again.
        """
        if self._since_ns > than_ns:
            return True
        if self._name and messages.get(self._name):
            self._since_ns = self._begun_ns
            self._delete(self._name)
            self._name = ""
        if not self._name and self._since_ns <= than_ns:
            self._begun_ns, self._name = time.monotonic_ns(), f"{MARK}{secrets.token_hex(6)}"
            self._make(self._name)
        return self._since_ns > than_ns
