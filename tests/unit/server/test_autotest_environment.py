"""AutoTest's environment: everything has a default in development, and nothing unsafe starts in production."""

from collections.abc import Callable

import pytest

from autotest.environment import DEVELOPMENT_KEY, Environment, Refused, environment

SAFE = {
    "AUTOTEST_ENV": "production",
    "SECRET_KEY": "k" * 60,
    "ALLOWED_HOSTS": "autotest.example.org",
    "DATABASE_URL": "postgres://autotest:pa55word@db:5432/autotest",
    "REDIS_URL": "redis://:pa55word@redis:6379/0",
}
Parse = Callable[..., Environment]


@pytest.fixture
def parse(monkeypatch: pytest.MonkeyPatch) -> Parse:
    def parsed(**variables: str) -> Environment:
        for name in (*SAFE, "DEBUG", "CELERY_BACKEND", "KEEP_DAYS", "TRUSTED_PROXIES"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return environment.__wrapped__()

    return parsed


def test_development_needs_nothing(parse: Parse) -> None:
    found = parse()
    assert (found.production, found.debug, found.secret_key) == (False, True, DEVELOPMENT_KEY)
    assert (found.redis_url, found.celery_backend) == ("redis://localhost:6379/0", "django-db")


def test_production_starts_with_what_is_safe(parse: Parse) -> None:
    found = parse(**SAFE)
    assert (found.production, found.debug) == (True, False)
    assert "pa55word" not in repr(found)


@pytest.mark.parametrize("missing", ["SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL"])
def test_production_refuses_a_missing_one_by_its_name(
    parse: Parse, missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Refused):
        parse(**{name: value for name, value in SAFE.items() if name != missing})
    assert capsys.readouterr().err.startswith(f"AutoTest cannot start: {missing}: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", DEVELOPMENT_KEY),
        ("ALLOWED_HOSTS", "*"),
        ("DEBUG", "yes"),
        ("DATABASE_URL", "sqlite:///pa55word.sqlite3"),
    ],
)
def test_production_refuses_what_is_for_development_only(parse: Parse, name: str, value: str) -> None:
    with pytest.raises(Refused) as refused:
        parse(**(SAFE | {name: value}))
    assert name in refused.value.text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "perhaps"),
        ("AUTOTEST_ENV", "staging"),
        ("KEEP_DAYS", "a pa55word"),
        ("KEEP_DAYS", "0"),
        ("TRUSTED_PROXIES", "-1"),
        ("REDIS_URL", "http://:pa55word@redis"),
        ("REDIS_URL", "redis://:pa55/word@redis:6379/0"),
        ("CELERY_BACKEND", "mongodb://:pa55word@db"),
        ("DATABASE_URL", "nosuch://autotest:pa55word@db/autotest"),
    ],
)
def test_a_bad_value_is_told_by_name_and_never_shown(
    parse: Parse, name: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Refused):
        parse(**{name: value})
    said = capsys.readouterr().err
    assert name in said
    assert "pa55" not in said
    assert len(said.splitlines()) == 1
