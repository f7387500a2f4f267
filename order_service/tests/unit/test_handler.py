"""Requests of clients skip the middleware of pages, and no others do."""

import pytest
from django.test import RequestFactory

from order_service.api.handler import is_of_client

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
    assert is_of_client(RequestFactory().get(path, headers=headers)) is skips
