"""RabbitMQ's management HTTP API: what AMQP cannot tell of a broker, or do to it.

Each request has a connection of its own: threads need no lock, and none is stale. No proxy of the environment is asked.
What it tells of queues is counted by them at once, but for quorum queues, whose numbers are those of their last tick,
every 5 s (`quorum_tick_interval`): only with `disable_stats` and `enable_queue_totals`, or all are 5 to 10 s old.
Sources: rabbit_mgmt_wm_queues.erl (collect_info_all), rabbit_quorum_queue.erl (i_totals), of RabbitMQ 3.10 to 4.
"""

import base64
import http.client
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from assay.brokers.amqp_address import Address

ANSWER_S = 10.0
TOTALS = "disable_stats=true&enable_queue_totals=true"
EVERYTHING = {"configure": ".*", "write": ".*", "read": ".*"}
NO_API = (OSError, http.client.HTTPException)  # what asking raises where nobody answers as an HTTP server does
GONE = 404
QUORUM = "quorum"


class Refused(Exception):
    """The API said no, or it is something else that answers."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"{status} {said}".strip())
        self.status = status


class Counted(msgspec.Struct, frozen=True):
    """A queue as the API lists it."""

    name: str
    type: str = "classic"
    messages: int = 0
    messages_ready: int = 0
    messages_unacknowledged: int = 0


class Api:
    """The API as the address's user. Methods raise Refused or one of NO_API; each step takes `answer_s` at most."""

    def __init__(self, address: Address, answer_s: float = ANSWER_S) -> None:
        parts = urlsplit(address.management)
        self._user = address.user
        self._host = parts.hostname or ""
        self._port = parts.port
        self._path = f"{parts.path}/api"
        self._answer_s = answer_s
        self._tls = address.management_tls()
        credentials = base64.b64encode(f"{address.user}:{address.password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}

    def tags(self) -> list[str]:
        """What the user may do: administrator, monitoring, management, ..."""
        tags = self._object("whoami").get("tags", [])
        return tags.split(",") if isinstance(tags, str) else list(tags)  # a string before 3.9

    def version(self) -> str:
        return str(self._object("overview").get("rabbitmq_version", ""))

    def virtual_hosts(self) -> list[str]:
        return [str(each["name"]) for each in self._list("vhosts?disable_stats=true&columns=name")]

    def make(self, host: str, queue_type: str = "") -> None:
        """A new virtual host for the user, whose queues are of this type unless they say otherwise."""
        body = {"description": "of a run of assay, which removes it"}
        if queue_type:
            body["default_queue_type"] = queue_type
        self._ask("PUT", f"vhosts/{_quoted(host)}", body)
        self._ask("PUT", f"permissions/{_quoted(host)}/{_quoted(self._user)}", EVERYTHING)

    def queue_type(self, host: str) -> str:
        """What queues of this virtual host are unless they say otherwise; "" where nobody has said."""
        found = self._object(f"vhosts/{_quoted(host)}?disable_stats=true").get("default_queue_type", "")
        return "" if found == "undefined" else str(found)

    def drop(self, host: str) -> None:
        """The virtual host with all that is in it, if it is there."""
        self._delete(f"vhosts/{_quoted(host)}")

    def queues(self, host: str) -> list[Counted]:
        return msgspec.convert(self._list(f"queues/{_quoted(host)}?{TOTALS}"), list[Counted])

    def exchanges(self, host: str) -> list[str]:
        """But for those that RabbitMQ makes itself."""
        names = [str(each["name"]) for each in self._list(f"exchanges/{_quoted(host)}?disable_stats=true&columns=name")]
        return [name for name in names if name and not name.startswith("amq.")]

    def delete_queue(self, host: str, name: str, *, if_unused: bool = False) -> None:
        """If it is there. Raises Refused for `if_unused` where somebody consumes from it, or it is a quorum queue."""
        self._delete(f"queues/{_quoted(host)}/{_quoted(name)}{'?if-unused=true' * if_unused}")

    def delete_exchange(self, host: str, name: str) -> None:
        self._delete(f"exchanges/{_quoted(host)}/{_quoted(name)}")

    def _delete(self, path: str) -> None:
        try:
            self._ask("DELETE", path)
        except Refused as refused:
            if refused.status != GONE:
                raise

    def _object(self, path: str) -> dict[str, Any]:
        found = self._ask("GET", path)
        if not isinstance(found, dict):
            raise Refused(0, "the answer is none of RabbitMQ's")
        return found

    def _list(self, path: str) -> list[dict[str, Any]]:
        found = self._ask("GET", path)
        if not isinstance(found, list):
            raise Refused(0, "the answer is none of RabbitMQ's")
        return found

    def _ask(self, method: str, path: str, body: dict[str, str] | None = None) -> Any:
        kind: Any = http.client.HTTPConnection if self._tls is None else http.client.HTTPSConnection
        more = {} if self._tls is None else {"context": self._tls}
        connection = kind(self._host, self._port, timeout=self._answer_s, **more)
        try:
            data = None if body is None else msgspec.json.encode(body)
            connection.request(method, f"{self._path}/{path}", data, self._headers)
            answer = connection.getresponse()
            told = answer.read()
        finally:
            connection.close()
        if answer.status >= 300:
            raise Refused(answer.status, _reason(told) or answer.reason)
        try:
            return msgspec.json.decode(told) if told else None
        except msgspec.DecodeError:
            raise Refused(0, "the answer is none of RabbitMQ's") from None


def _quoted(name: str) -> str:
    return quote(name, safe="")


def _reason(told: bytes) -> str:
    """RabbitMQ's `{"error", "reason"}`; nothing of a page of HTML."""
    try:
        found = msgspec.json.decode(told)
    except msgspec.DecodeError:
        return ""
    return str(found.get("reason") or found.get("error") or "") if isinstance(found, dict) else ""
