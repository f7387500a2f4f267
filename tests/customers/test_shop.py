"""What the demo and the load share: a response that must have its status, and a mail that is waited for."""

from __future__ import annotations

from typing import Any

import pytest

from deploy.customers import shop as module
from deploy.customers.mailbox import CaughtMail, Mailbox
from deploy.customers.shop import Shop
from deploy.local.errors import LocalError
from deploy.local.probe import Answer


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Answers POST with 201, and anything else with 404."""

    def call(port: int, method: str, path: str, body: object, token: str) -> Answer:
        return Answer(201 if method == "POST" else 404, b'{"code": "made"}')

    monkeypatch.setattr(module, "call", call)
    return Shop({"user_service": 4000}, Mailbox(0))


def test_the_json_of_the_expected_status_is_returned(shop: Shop) -> None:
    assert shop.post("user_service", "/register", {}, 201) == {"code": "made"}


def test_another_status_is_an_error_that_names_request_and_response(shop: Shop) -> None:
    with pytest.raises(LocalError, match=r"POST /register answers 201: .*made"):
        shop.post("user_service", "/register", {}, 204)
    with pytest.raises(LocalError, match=r"GET /products answers 404"):
        shop.read("user_service", "/products?limit=1")


def test_a_mail_is_found_by_words_of_its_subject_once_it_is_there(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    mails = [CaughtMail(subject, "", "", "", "") for subject in ("Welcome to the shop", "Verify your e-mail address")]
    arrived = iter([[], mails[:1], mails])

    def find(_mailbox: Mailbox, recipient: str) -> Any:
        return next(arrived)

    monkeypatch.setattr(Mailbox, "find", find)
    assert shop.await_mail("ada@example.com", "Verify") is mails[1]
