"""The status of the services on the overview."""

import pytest

from order_service.desk.operations import service_status
from order_service.desk.operations.service_status import ServiceState, read_states, state_of
from order_service.tests.integration.neighbours import serving

pytestmark = pytest.mark.django_db

NOWHERE = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def _the_cache_is_empty(monkeypatch):
    monkeypatch.setattr(service_status, "_cache", service_status._Cache())
    monkeypatch.setattr(service_status, "TIMEOUT_SECONDS", 10.0)  # however busy the machine is


def test_each_service_is_called_and_an_unavailable_one_is_named(accounts, settings):
    report = {
        "status": "degraded",
        "service": "notification_service",
        "checks": {"smtp": {"status": "down", "reason": "away"}},
    }
    with serving(lambda asked: (200, report)) as settings.NOTIFICATION_SERVICE_URL:
        settings.PRODUCT_SERVICE_URL = NOWHERE
        states = read_states()
    assert [state.name for state in states] == [
        "user_service",
        "product_service",
        "order_service",
        "notification_service",
    ]
    assert (states[0].status, states[0].text) == ("ok", "All its parts work.")
    assert (states[1].status, states[1].text) == ("unavailable", "It does not respond.")
    assert states[2].status == "degraded"
    assert "catalogue" in states[2].text
    assert (states[3].status, states[3].text) == ("degraded", "smtp: away")


def test_the_states_are_kept_for_a_moment(accounts, settings, monkeypatch):
    settings.PRODUCT_SERVICE_URL = settings.NOTIFICATION_SERVICE_URL = NOWHERE
    assert read_states() == read_states()
    assert len(accounts.asked) == 1
    monkeypatch.setattr(service_status, "CACHE_SECONDS", 0.0)
    service_status._cache.until = 0.0
    read_states()
    read_states()
    assert len(accounts.asked) == 3


def test_another_server_at_the_address_is_not_the_service(accounts, settings):
    settings.PRODUCT_SERVICE_URL = settings.USER_SERVICE_URL
    settings.NOTIFICATION_SERVICE_URL = NOWHERE
    assert read_states()[1] == ServiceState(
        "product_service", "unavailable", "Another server listens at its address. It responds with status 200."
    )


def test_lag_and_dead_letters_are_sums_over_the_consumers_and_retries_are_shown():
    consumers = {
        "stock": {"lag": 3, "deadLetters": 1, "retrying": None},
        "users": {"lag": 4, "deadLetters": 0, "retrying": {"reason": "MongoDB is away", "attempts": 3}},
        "relay": {"pending": 0},
    }
    report = {"status": "ok", "checks": {"worker": {"status": "ok", "parts": consumers}}}
    text = "users retries an event: MongoDB is away"
    assert state_of("sample", report) == ServiceState("sample", "degraded", text, 7, 1)
    calm = {"status": "ok", "checks": {"worker": {"status": "ok", "parts": {"relay": {"pending": 0}}}}}
    assert state_of("sample", calm) == ServiceState("sample", "ok", "All its parts work.", 0, 0)
    silent = {
        "status": "degraded",
        "checks": {"worker": {"status": "down", "reason": "no worker has written its state yet"}},
    }
    assert state_of("sample", silent) == ServiceState(
        "sample", "degraded", "worker: no worker has written its state yet", None, None
    )
