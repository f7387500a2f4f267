"""Consumed events are untrusted input: the models refuse each value that could break a header."""

import pytest

from libs.messaging.envelope import Event, MalformedEvent
from notification_service.events.consumed import OrderEvent, UserRegistered

LINE = {"productId": "a" * 24, "name": "Lamp", "quantity": 2, "unitPrice": "1.50", "lineTotal": "3.00", "version": 1}
ORDER = {
    "orderId": "01K00000000000000000000000",
    "userId": "a" * 24,
    "userEmail": "ada@example.com",
    "username": "ada",
    "total": "3.00",
    "currency": "USD",
    "reason": None,
    "items": [LINE],
}


def event(data):
    return Event("01K00000000000000000000000", "any", "a", 1, "", data)


def test_fields_that_a_mail_does_not_need_are_ignored():
    user = event({"username": "ada", "email": "ada@example.com", "roles": [], "more": {}}).read(UserRegistered)
    assert (user.username, user.email) == ("ada", "ada@example.com")
    assert event(ORDER | {"more": 1}).read(OrderEvent).items[0].line_total == "3.00"


@pytest.mark.parametrize(
    "email",
    [
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com\n",
        "\rada@example.com",
        "ada@example.com, eve@example.com",
        "ada,eve@example.com",
        "Ada <ada@example.com>",
        "ada@example.com\x00",
        "ada@[127.0.0.1]",
        "ada",
        "a" * 250 + "@example.com",
        "",
        None,
        ["ada@example.com"],
    ],
)
def test_an_address_is_one_address_and_nothing_else(email):
    with pytest.raises(MalformedEvent) as refused:
        event({"username": "ada", "email": email}).read(UserRegistered)
    assert "email" in str(refused.value)
    assert "eve" not in str(refused.value)
    if email is not None:  # of an order null means that the account was deleted
        with pytest.raises(MalformedEvent):
            event(ORDER | {"userEmail": email}).read(OrderEvent)


def test_an_international_domain_is_put_into_ascii():
    assert event({"username": "ada", "email": "ada@bücher.example"}).read(UserRegistered).email == (
        "ada@xn--bcher-kva.example"
    )


@pytest.mark.parametrize(
    "username", ["ada\r\nBcc: eve@example.com", "ada\n", "<b>ada</b>", "ad", "a" * 31, "", None, 7]
)
def test_a_username_is_a_plain_word(username):
    with pytest.raises(MalformedEvent):
        event({"username": username, "email": "ada@example.com"}).read(UserRegistered)


@pytest.mark.parametrize(
    "change",
    [
        {"orderId": "1\r\nBcc: eve@example.com"},
        {"orderId": "01K0000000000000000000000\n"},
        {"total": 3.0},
        {"total": "3"},
        {"total": "-3.00"},
        {"currency": "usd"},
        {"items": []},
        {"items": [LINE] * 51},
        {"items": [LINE | {"quantity": 0}]},
        {"items": [LINE | {"quantity": "2"}]},
        {"items": [LINE | {"name": "Lamp\x00"}]},
        {"items": [LINE | {"name": ""}]},
        {"items": {"$gt": ""}},
        {"reason": "x" * 201},
    ],
)
def test_an_order_of_wrong_shape_is_refused(change):
    with pytest.raises(MalformedEvent):
        event(ORDER | change).read(OrderEvent)
