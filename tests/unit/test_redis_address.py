"""The address of a Redis by URL: which database it names, and what names none."""

import pytest
import redis

from assay.brokers.external import for_celery, for_client
from assay.errors import UsageError


@pytest.mark.parametrize(
    ("url", "database"),
    [
        ("redis://host", None),
        ("redis://host/", None),
        ("redis://host/0", 0),
        ("rediss://user:secret@host:6380/12?ssl_cert_reqs=none", 12),
        ("unix:///run/redis.sock?db=3", 3),
        ("redis+socket:///run/redis.sock?virtual_host=4", 4),
        ("redis+socket:///run/redis.sock", 0),
    ],
)
def test_given_an_address_then_its_database_is_the_one_that_is_used(url: str, database: int | None) -> None:
    for_celery(url)
    assert redis.connection.parse_url(for_client(url)).get("db") == database


@pytest.mark.parametrize(
    "url",
    [
        "redis://host/abc",
        "redis://host/-1",
        "redis://host/5x",
        "redis://host/1/2",
        "redis://host/5/",
        "redis://host?db=3",
        "redis://host/0?virtual_host=3",
        "rediss://host/%C2%B2",
        "unix:///run/redis.sock?db=abc",
        "unix:///run/redis.sock?db=",
        "unix:///run/redis.sock?virtual_host=3",
        "redis+socket:///run/redis.sock?virtual_host=-1",
    ],
)
def test_given_what_is_no_number_of_a_database_then_it_is_refused(url: str) -> None:
    for used_by in (for_celery, for_client):
        with pytest.raises(UsageError, match="does not name a database by its number, which is told"):
            used_by(url)


def test_given_a_password_that_is_not_quoted_then_it_is_not_shown() -> None:
    with pytest.raises(UsageError, match=r"^redis://:\*\*\*@host/0 .*; a password's / is written %2F$"):
        for_celery("redis://:sec/ret@host/0")
