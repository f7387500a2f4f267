"""The settings of pages and database."""

from django.conf import settings
from django.core.checks import run_checks


def test_djangos_checks_find_nothing():
    assert run_checks() == []


def test_errors_are_never_shown_to_clients():
    assert settings.DEBUG is False


def test_times_are_shown_in_utc():
    assert (settings.USE_TZ, settings.TIME_ZONE) == (True, "UTC")


def test_cookies_are_for_http_and_this_site_only():
    assert settings.SESSION_COOKIE_HTTPONLY
    assert settings.CSRF_COOKIE_HTTPONLY
    assert {settings.SESSION_COOKIE_SAMESITE, settings.CSRF_COOKIE_SAMESITE} == {"Lax"}


def test_an_unavailable_server_is_noticed_in_time():
    options = settings.DATABASES["default"]["OPTIONS"]
    assert options["isolation_level"] == "read committed"
    assert options["connect_timeout"] + options["read_timeout"] < 5


def test_only_hosts_that_are_named_are_answered():
    assert settings.ALLOWED_HOSTS[:3] == ["localhost", "127.0.0.1", "[::1]"]
    assert "*" not in settings.ALLOWED_HOSTS
