"""The middleware of pages: clients of the API skip it, and nothing else does."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from order_service.desk import middleware

TOKEN = {"authorization": "Bearer abc"}
HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(
    ("path", "headers", "skips"),
    [
        ("/orders", TOKEN, True),
        ("/orders/", {"authorization": "bearer abc"}, True),
        ("/orders/01H/cancel", TOKEN | {"accept": "application/json"}, True),
        ("/orders", {}, False),
        ("/orders", {"authorization": "Basic YTpi"}, False),
        ("/orders", {"authorization": "Bearer"}, False),
        ("/orders", TOKEN | HTML, False),
        ("/admin/", TOKEN, False),
        ("/admin/orders/order/", TOKEN, False),
        ("/static/admin/css/base.css", TOKEN, False),
        ("/", TOKEN, False),
    ],
)
def test_only_requests_of_clients_to_the_api_skip_it(path, headers, skips):
    request = RequestFactory().get(path, headers=headers)
    assert middleware.is_of_client(request) is skips
    seen = middleware.PageUsers(middleware.PageSessions(lambda request: HttpResponse()))
    middleware.PageSessions(lambda request: HttpResponse())(request)
    assert hasattr(request, "session") is not skips
    if not skips:
        seen(request)
        assert hasattr(request, "user")


def test_a_session_cookie_of_a_client_is_not_read():
    request = RequestFactory().get("/orders", headers=TOKEN | {"cookie": "sessionid=abc"})
    answer = HttpResponse()
    chain = lambda request: answer  # noqa: E731
    for layer in (middleware.PageMessages, middleware.PageLogins, middleware.PageUsers, middleware.PageCsrf):
        chain = layer(chain)
    assert middleware.PageSessions(chain)(request) is answer
    assert not hasattr(request, "session")
    assert not answer.cookies
