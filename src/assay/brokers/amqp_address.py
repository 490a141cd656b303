"""The address of a RabbitMQ that runs already: where it speaks AMQP, and where its management HTTP API is."""

import re
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import msgspec

from assay.errors import UsageError

if TYPE_CHECKING:
    from amqp import Connection

CONNECT_S = 5.0
ANSWER_S = 10.0
PORTS = {"amqp": 5672, "amqps": 5671}
MANAGEMENT_PORTS = {"amqp": 15672, "amqps": 15671}
MANAGEMENT = "management"
FILES = ("ca_certs", "certfile", "keyfile")
OPTIONS = {*(f"ssl_{name}" for name in FILES), "ssl_cert_reqs", "ssl_check_hostname"}
NO_CHECK = ("none", "cert_none")
SEVERAL = re.compile(r";\w+://")


class Address(msgspec.Struct, frozen=True):
    """Parts are decoded. `options` are OPTIONS of the query, as kombu names them (kombu/utils/url.py)."""

    scheme: str
    user: str
    password: str
    host: str
    port: int
    virtual_host: str
    options: dict[str, str]
    management: str  # scheme, host, port and perhaps a path, without credentials

    @property
    def shown(self) -> str:
        """Fit to be printed."""
        return f"{self.scheme}://{self.user}:***@{self._place}/{quote(self.virtual_host, safe='')}"

    @property
    def _place(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def url(self, virtual_host: str) -> str:
        """One of its virtual hosts, for Celery's `broker_url`; with the password."""
        who = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        return f"{self.scheme}://{who}@{self._place}/{quote(virtual_host, safe='')}"

    @property
    def tls(self) -> dict[str, Any]:
        """For Celery's `broker_use_ssl`: kombu 5.7 hands options of an amqps address on by names that py-amqp lacks."""
        if self.scheme != "amqps":
            return {}
        found: dict[str, Any] = {name: self.options[f"ssl_{name}"] for name in FILES if f"ssl_{name}" in self.options}
        found["cert_reqs"] = int(ssl.CERT_REQUIRED if self._checked else ssl.CERT_NONE)
        return found | ({"server_hostname": self.host} if self._named else {})

    @property
    def _checked(self) -> bool:
        return self.options.get("ssl_cert_reqs", "required").lower() not in NO_CHECK

    @property
    def _named(self) -> bool:
        return self._checked and self.options.get("ssl_check_hostname", "true").lower() != "false"

    def management_tls(self) -> ssl.SSLContext | None:
        """The same for the HTTP API; None where that is plain. Raises OSError for a file that cannot be read."""
        if not self.management.startswith("https:"):
            return None
        context = ssl.create_default_context(cafile=self.options.get("ssl_ca_certs"))
        context.check_hostname = self._named
        context.verify_mode = ssl.CERT_REQUIRED if self._checked else ssl.CERT_NONE
        if certificate := self.options.get("ssl_certfile"):
            context.load_cert_chain(certificate, self.options.get("ssl_keyfile"))
        return context


def parse(url: str) -> Address:
    """Raises UsageError, which holds no password, for what cannot be such an address."""
    if SEVERAL.search(url):
        raise UsageError("--broker takes the address of one RabbitMQ, not several to fail over")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"the address of the broker cannot be used: {_said(error)}") from None
    scheme = "amqps" if parts.scheme.lower() == "amqps" else "amqp"
    host = unquote(parts.hostname or "localhost")
    options = dict(parse_qsl(parts.query))
    shown = f"[{host}]" if ":" in host else host
    management = options.pop(MANAGEMENT, "") or f"http{scheme[4:]}://{shown}:{MANAGEMENT_PORTS[scheme]}"
    _check_management(management)
    if unknown := sorted(options.keys() - OPTIONS):
        known = ", ".join(sorted({MANAGEMENT, *OPTIONS}))
        raise UsageError(f"the broker's address takes no option {', '.join(unknown)}; there are {known}")
    return Address(
        scheme=scheme,
        user=unquote(parts.username or "guest"),
        password=unquote(parts.password or "guest"),
        host=host,
        port=port or PORTS[scheme],
        virtual_host=unquote(parts.path[1:]) or "/",
        options=options,
        management=management.rstrip("/"),
    )


def _check_management(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(f"{MANAGEMENT}= in the broker's address is an address such as http://HOST:15672")
    if parts.username or parts.password:
        raise UsageError(f"{MANAGEMENT}= in the broker's address takes no user: it is asked as the address's own one")


def _said(error: Exception) -> str:
    """What Python says of an address may repeat a part of it that holds the password."""
    return "its port is no number from 0 to 65535" if "port" in str(error).lower() else "it is not well-formed"


def connect(address: Address, virtual_host: str) -> "Connection":
    """An open connection, made by kombu as Celery has it make them.

    Raises OSError and what py-amqp raises, which may be anything where the other end speaks no AMQP.
    """
    from kombu.connection import Connection as Described

    waits = {"read_timeout": ANSWER_S, "write_timeout": ANSWER_S}
    options: Any = {"ssl": address.tls or False, "connect_timeout": CONNECT_S, "transport_options": waits}
    described: Any = Described(address.url(virtual_host), **options)  # type: ignore[no-untyped-call]
    return described.transport.establish_connection()
