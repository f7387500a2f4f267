"""Requests of clients skip the middleware of pages: a session that they send is not read, and none begins."""

import pytest
from django.contrib.sessions.backends.db import SessionStore

pytestmark = pytest.mark.django_db


def test_a_session_cookie_of_a_client_is_not_read(customer, monkeypatch):
    monkeypatch.setattr(SessionStore, "load", lambda self: pytest.fail("a session is read"))
    customer.cookies["sessionid"] = "a" * 32
    answer = customer.get("/orders")
    assert answer.status_code == 200
    assert not hasattr(answer.wsgi_request, "session")
    assert not answer.cookies
    assert answer["Content-Length"] == str(len(answer.content))


def test_a_page_has_a_session(customer):
    answer = customer.get("/orders", headers={"accept": "text/html"})
    assert answer.status_code == 200
    assert hasattr(answer.wsgi_request, "session")


@pytest.mark.parametrize(("path", "status"), [("/orders/none", 404), ("/orders?limit=x", 400), ("/orders/a/b/c", 404)])
def test_an_error_of_a_client_is_a_problem_document(customer, path, status):
    answer = customer.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert answer["Content-Length"] == str(len(answer.content))
