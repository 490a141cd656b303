"""Whether a RabbitMQ that runs already can be used by a run, and what of it; or why it cannot, and what would help."""

import secrets
import socket
import ssl
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeVar

from assay.brokers.amqp_address import CONNECT_S, Address, connect
from assay.brokers.rabbitmq_api import NO_API, Api, Refused
from assay.errors import UsageError

ADMINISTRATOR = "administrator"
SHOWN = 3
PRIVATE = "or use --broker rabbitmq for a private node"
CERTIFICATES = "Name the authorities to be trusted by ssl_ca_certs=FILE in the address's query"
T = TypeVar("T")


class Admission(NamedTuple):
    """What a run may use: virtual hosts that it makes, with this prefix, or without one the address's own.

    `queue_type` is of queues that do not say theirs, as in the address's virtual host; "" is the server's usual one.
    """

    api: Api
    version: str
    prefix: str
    queue_type: str


def admission(address: Address) -> Admission:
    """Raises UsageError, without the password, where it cannot be used as the address says. Changes nothing there."""
    try:
        connect(address, address.virtual_host).close()
    except Exception as error:  # py-amqp raises anything at what speaks no AMQP
        raise UsageError(_no_connection(address, error)) from None
    try:
        api = Api(address)
    except OSError as error:  # of a file with certificates
        raise UsageError(_no_api(address, error)) from None
    tags = _told(address, api.tags)
    version = _told(address, api.version)
    if ADMINISTRATOR in tags:
        queue_type = _told(address, partial(api.queue_type, address.virtual_host))
        return Admission(api, version, f"assay-{secrets.token_hex(6)}-", queue_type)
    _must_be_empty(address, api)
    return Admission(api, version, "", "")


def _told(address: Address, ask: Callable[[], T]) -> T:
    try:
        return ask()
    except (Refused, *NO_API) as error:
        raise UsageError(_no_api(address, error)) from None


def _must_be_empty(address: Address, api: Api) -> None:
    host = address.virtual_host
    found = [f"queue {each.name}" for each in _told(address, partial(api.queues, host))]
    found += [f"exchange {name}" for name in _told(address, partial(api.exchanges, host))]
    if found:
        some = ", ".join(found[:SHOWN]) + (", ..." if len(found) > SHOWN else "")
        raise UsageError(
            f"{address.shown} is not empty ({some}): Assay uses an empty virtual host only, and leaves it empty. Name "
            f"another one, or a user with the tag {ADMINISTRATOR}, for whom Assay makes virtual hosts of its own, "
            f"{PRIVATE}"
        )


def _no_connection(address: Address, error: Exception) -> str:
    """Why there is no AMQP connection."""
    from amqp import AccessRefused, AMQPError, NotAllowed

    broker, said = f"the broker at {address.shown}", _plain(address, error)
    if isinstance(error, AccessRefused):
        return f"{broker} refuses the user or the password: {said}"
    if isinstance(error, NotAllowed) and "not found" in said:
        return f"{broker} has no virtual host {address.virtual_host}: {said}"
    if isinstance(error, NotAllowed):
        return f"{broker} does not let {address.user} use virtual host {address.virtual_host}: {said}"
    if isinstance(error, TimeoutError):
        return (
            f"{broker} does not answer within {CONNECT_S:g} s: is the address right, and a RabbitMQ"
            f"{' with TLS' * (address.scheme == 'amqps')} there?"
        )
    if isinstance(error, (ConnectionRefusedError, socket.gaierror)):
        return f"{broker} cannot be reached: {said}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{broker} has a certificate that is not trusted: {said}. {CERTIFICATES}"
    if isinstance(error, AMQPError | OSError):
        return f"{broker} cannot be used: {said or type(error).__name__}. Is that a RabbitMQ, and its AMQP port?"
    return f"{broker} does not speak AMQP ({type(error).__name__}): is that a RabbitMQ, and its AMQP port?"


def _no_api(address: Address, error: Exception) -> str:
    """Why the management API does not tell what is needed."""
    api, said = f"the management API of {address.shown} at {address.management}", _plain(address, error)
    if isinstance(error, Refused) and error.status in (401, 403):
        return (
            f"{api} refuses user {address.user}: {said}. Assay asks it what a virtual host holds: give the user a tag "
            f"(rabbitmqctl set_user_tags {address.user} {ADMINISTRATOR}; with management alone an empty virtual host "
            f"is needed), {PRIVATE}"
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{api} has a certificate that is not trusted: {said}. {CERTIFICATES}"
    if isinstance(error, TimeoutError):
        said = "no answer in time"
    elif isinstance(error, Refused) and not error.status:
        said = "what answers there is no management API of RabbitMQ"
    return (
        f"{api} cannot be used: {said}. AMQP alone does not show what a virtual host holds: enable the API "
        "(rabbitmq-plugins enable rabbitmq_management), say where it is (?management=http://HOST:PORT at the end of "
        f"the address), {PRIVATE}"
    )


def _plain(address: Address, error: Exception) -> str:
    """What was said, in one line, without the password should anything repeat it."""
    said = " ".join(str(getattr(error, "reply_text", "") or error).split()).rstrip(".")
    return said.replace(address.password, "***") if len(address.password) > 3 else said
