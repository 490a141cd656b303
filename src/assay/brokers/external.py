"""A broker that is given by URL: somebody's. Only an empty database is used; the run's keys are its own, and go.

Every key and channel of the run begins with a prefix that no other has, by kombu's and Celery's own options
(redirect.py, `prefixed_keys`). So no worker of the run takes anybody else's message, and what somebody else writes
meanwhile is left.
A process that outlives the harness removes the keys where the harness cannot: see sweeper.py.
"""

import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from assay.brokers import EXTERNAL, sweeper
from assay.brokers.databases import CONNECT_S, Databases
from assay.brokers.served import Spawn
from assay.brokers.sweeper import BATCH, Order, sweep
from assay.errors import HarnessError, UsageError
from assay.redirection import AMQP

if TYPE_CHECKING:
    import redis

SCHEMES = ("redis", "rediss", "redis+socket", "unix")
IN_QUERY = {"redis+socket": "virtual_host", "unix": "db"}  # where the database is told, if not by the path
NUMBER = re.compile(r"[0-9]{1,9}")
SHOWN = 3
#: a password that is not quoted may have a : / ? # or @ in it
CREDENTIALS = re.compile(r"(?<=://)(?:([^:/?#@\s][^:/?#\s]*|)(:\S*)?|\S*)@")
PARAMETER = re.compile(r"(?<=\S)([?&;])([^=&;?#\s]+)=[^&;#\s]*")
HARMLESS = {"virtual_host", "ssl_cert_reqs", "heartbeat", "socket_timeout", "socket_connect_timeout"}


def redact_url(text: str) -> str:
    """Addresses fit to be printed: of what is before the last @ only the user's name, of the query harmless values."""
    return PARAMETER.sub(_redacted, CREDENTIALS.sub(lambda it: f"{_user(it)}@", text))


def _user(found: re.Match[str]) -> str:
    return "***" if found[1] is None else f"{found[1]}{':***' if found[2] else ''}"


def _redacted(found: re.Match[str]) -> str:
    return found[0] if found[2].lower() in HARMLESS else f"{found[1]}{found[2]}=***"


class ExternalBroker(Databases):
    """One database of a Redis that runs already. Whatever number is asked for, it is this one database.

    Raises UsageError when the address cannot be used or the database holds anything.
    """

    name = EXTERNAL
    one_database = True

    def __init__(self, url: str, folder: Path, spawn: Spawn) -> None:
        super().__init__()
        self._url = for_celery(url)
        self._client_url = for_client(url)
        self.shown = redact_url(url)
        self.key_prefix = f"assay-{secrets.token_hex(6)}:"
        self._open()
        sweeper.start(Order(self._client_url, self.key_prefix), self.shown, folder, spawn)

    def url(self, db: int) -> str:
        return self._url

    def client_url(self, db: int) -> str:
        return self._client_url

    def client(self, db: int):  # type: ignore[no-untyped-def]
        return super().client(0)

    def _open(self) -> None:
        import redis

        try:
            size, some = self._holds(self.client(0))
        except (redis.RedisError, OSError, ValueError) as error:
            raise UsageError(self._why(error)) from None
        if size:
            raise UsageError(
                f"{self.shown} holds {size} key{'s' if size > 1 else ''} ({some}): Assay uses an empty database only,"
                " and leaves it empty. Name another database number, or use --broker redis for a private one"
            )

    def _why(self, error: Exception) -> str:
        import redis

        said = redact_url(str(error)).strip().rstrip(".")
        if isinstance(error, redis.AuthenticationError) or "NOAUTH" in said or "WRONGPASS" in said:
            # Redis names its own commands for it; redis-py before 6 says it in its own words
            if any(each in said for each in ("already authenticated", "NOAUTH", "Authentication required")):
                return f"the broker at {self.shown} wants a password: give it in the address, redis://:PASSWORD@HOST"
            return f"the broker at {self.shown} refuses the user or the password: {said}"
        if isinstance(error, redis.TimeoutError):
            return f"the broker at {self.shown} does not answer within {CONNECT_S:g} s: is the address right?"
        if isinstance(error, (redis.ConnectionError, OSError)):
            return f"the broker at {self.shown} cannot be reached: {said}"
        if isinstance(error, redis.ResponseError):
            return f"the broker at {self.shown} cannot be used: {said}"
        return f"{self.shown} is not an address that can be used: {said}"

    def flush(self, db: int) -> None:
        """Remove the keys of the run."""
        with self._asking(0) as client:
            sweep(client, self.key_prefix)

    def alive(self) -> bool:
        try:
            with self._asking(0) as client:
                return bool(client.ping())
        except HarnessError:
            return False

    def stop(self) -> str:
        """Remove what the run made. Returns a sentence about keys that somebody else has made meanwhile, and are left.

        Raises HarnessError where the broker does not answer.
        """
        try:
            self.flush(0)
            with self._asking(0) as client:
                size, some = self._holds(client)
        finally:
            self.disconnect()
        if not size:
            return ""
        return f"{self.shown} was empty before the run; somebody else has written to it, which is left: {some}"

    def _holds(self, client: "redis.Redis") -> tuple[int, str]:
        """How many keys, and the names of some."""
        size = int(client.dbsize())
        keys = sorted(_text(key) for key, _ in zip(client.scan_iter(count=BATCH), range(SHOWN), strict=False))
        return size, ", ".join(keys) + (", ..." if size > len(keys) else "")


def _text(key: object) -> str:
    return key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key)


def _check(url: str) -> str:
    scheme = urlsplit(url).scheme.lower()
    if scheme not in SCHEMES:
        raise UsageError(
            f"{redact_url(url)}: an address of a broker begins with one of "
            f"{', '.join(s + '://' for s in SCHEMES + AMQP)}"
        )
    _check_database(url, scheme)
    return scheme


def _check_database(url: str, scheme: str) -> None:
    """redis-py takes a path that is no number for database 0, and /1/2 for 12."""
    parts = urlsplit(url)
    key = IN_QUERY.get(scheme, "")
    query = parse_qs(parts.query, keep_blank_values=True)
    given = query.get(key, []) if key else [unquote(parts.path).removeprefix("/")] if parts.path.strip("/") else []
    misplaced = [name for name in ("db", "virtual_host") if name != key and name in query]
    if misplaced or not all(NUMBER.fullmatch(each) for each in given):
        where = f"by ?{key}=5" if key else f"after the host: {scheme}://HOST/5"
        quoted = "; a password's / is written %2F" if "@" in parts.path else ""
        raise UsageError(f"{redact_url(url)} does not name a database by its number, which is told {where}{quoted}")


def for_celery(url: str) -> str:
    """kombu knows a Unix socket as redis+socket://PATH?virtual_host=N."""
    if _check(url) != "unix":
        return url
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    query["virtual_host"] = query.pop("db", ["0"])
    return _joined("redis+socket", parts.netloc + parts.path, query)


def for_client(url: str) -> str:
    """redis-py knows it as unix://PATH?db=N, and names certificate checks in its own words."""
    scheme = _check(url)
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    if scheme == "redis+socket":
        query["db"] = query.pop("virtual_host", ["0"])
        scheme = "unix"
    if "ssl_cert_reqs" in query:
        query["ssl_cert_reqs"] = [value.lower().removeprefix("cert_") for value in query["ssl_cert_reqs"]]
    return _joined(scheme, parts.netloc + parts.path, query)


def _joined(scheme: str, place: str, query: dict[str, list[str]]) -> str:
    return f"{scheme}://{place}{'?' if query else ''}{urlencode(query, doseq=True)}"
