"""Limits: so many acts in a window, then 429 with the time to wait."""

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory

from myapp.web import rates
from myapp.web.models import RateWindow

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def tight(settings):
    settings.RATE_LIMITS = {
        "run": (2, 60),
        "cancel": (2, 60),
        "login": (3, 60),
        "login_address": (6, 60),
        "api": (9, 60),
    }


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Stands still, so that no window ends in the middle of a test."""

    class Clock:
        now_s = 1_000_000_000 - 1_000_000_000 % 60 + 10

    monkeypatch.setattr(rates.time, "time", lambda: Clock.now_s)
    return Clock


def assert_refused(response, wait_s=50):
    assert response.status_code == 429
    assert response["Retry-After"] == str(wait_s)


def test_a_window_opens_again(clock):
    for _ in range(2):
        rates.spend("run", "user 1")
    with pytest.raises(rates.TooMany) as refused:
        rates.spend("run", "user 1")
    assert refused.value.retry_after_s == 50
    clock.now_s += 50
    rates.spend("run", "user 1")
    assert RateWindow.objects.count() == 1, "the closed window was swept"


def test_one_user_does_not_use_up_anothers_limit():
    for user in ("user 1", "user 2", "user 3"):
        rates.spend("run", user)
        rates.spend("run", user)


def test_running_is_limited_on_the_page(runner, submitted):
    for _ in range(2):
        assert runner.post("/run/script/", {"source": "print(1)"}).status_code == 302
    assert_refused(runner.post("/run/script/", {"source": "print(1)"}))
    assert len(submitted) == 2


def test_page_and_api_share_one_limit(runner, submitted):
    for _ in range(2):
        runner.post("/run/script/", {"source": "print(1)"})
    assert_refused(runner.post("/api/v1/executions/", {"source": "print(1)"}, content_type="application/json"))
    assert len(submitted) == 2


def test_cancelling_is_limited(make_client, make_execution):
    client, user = make_client("owner", "run_scripts")
    for _ in range(2):
        client.post(f"/executions/{make_execution(user, status='succeeded').pk}/cancel/")
    running = make_execution(user)
    assert_refused(client.post(f"/executions/{running.pk}/cancel/"))
    running.refresh_from_db()
    assert running.status == "running"


def test_the_api_is_limited_and_says_so_in_json(runner):
    for _ in range(9):
        assert runner.get("/api/v1/stats/").status_code == 200
    response = runner.get("/api/v1/stats/")
    assert_refused(response)
    assert response.json()["status"] == 429


def log_in(name, password="wrong", address="198.51.100.7"):
    return Client(REMOTE_ADDR=address).post("/login/", {"username": name, "password": password})


def test_a_password_cannot_be_guessed_not_even_with_the_right_one_at_last():
    User.objects.create_user("wei", password="correct horse")
    for _ in range(3):
        assert log_in("wei").status_code == 200
    assert_refused(log_in("WEI", "correct horse"))
    # but the owner, elsewhere, is not locked out
    assert log_in("wei", "correct horse", "203.0.113.9").status_code == 302


def test_one_address_cannot_try_name_after_name():
    for n in range(6):
        assert log_in(f"name{n}").status_code == 200
    assert_refused(log_in("name7"))


def test_a_login_that_succeeds_uses_nothing_up():
    User.objects.create_user("wei", password="correct horse")
    for _ in range(8):
        assert log_in("wei", "correct horse").status_code == 302


def test_wrong_tokens_cannot_be_guessed_either():
    guess = {"Authorization": "Bearer autotest_guess"}
    for _ in range(6):
        assert Client().get("/api/v1/stats/", headers=guess).status_code == 401
    assert_refused(Client().get("/api/v1/stats/", headers=guess))


def test_the_forwarded_address_is_believed_only_behind_a_proxy(settings):
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-For": "1.1.1.1, 198.51.100.7"})
    assert rates.address(request) == "10.0.0.1"
    settings.TRUSTED_PROXIES = 1
    assert rates.address(request) == "198.51.100.7"
