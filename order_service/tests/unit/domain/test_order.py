"""An order and its changes, without a database."""

from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta

import pytest

from libs.values.money import Money
from order_service.domain.customer import Customer, MailAddress
from order_service.domain.errors import IllegalTransition
from order_service.domain.order import Order, OrderLine, StatusChange
from order_service.domain.order_id import first_id
from order_service.domain.order_status import Status

MOMENT = datetime(2026, 1, 31, 12, 0, 0, 250_000, tzinfo=UTC)
LATER = MOMENT + timedelta(minutes=1)


def line(price: int, quantity: int) -> OrderLine:
    return OrderLine(product_id="p", name="Lamp", quantity=quantity, unit_price=Money(price, "USD"), product_version=1)


@pytest.fixture
def order() -> Order:
    customer = Customer(user_id="u1", username="ann", address=MailAddress(email="ann@example.com"))
    return Order.place(customer=customer, lines=[line(1990, 3), line(1, 2)], shipping_address=None, at=MOMENT)


def test_a_new_order_is_pending_and_has_no_events(order):
    assert (order.status, order.reason, order.version) == (Status.PENDING, None, 0)
    assert order.created_at == order.updated_at == MOMENT
    assert order.id >= first_id(MOMENT)


def test_its_total_is_the_sum_of_its_lines(order):
    assert [item.total.minor for item in order.lines] == [5970, 2]
    assert (order.total, order.currency) == (Money(5972, "USD"), "USD")


def test_it_belongs_to_its_customer(order):
    assert order.owned_by("u1")
    assert not order.owned_by("u2")


def test_a_transition_makes_a_new_order(order):
    rejected = order.move_to(Status.REJECTED, at=LATER, reason="out_of_stock")
    assert (rejected.status, rejected.reason, rejected.updated_at) == (Status.REJECTED, "out_of_stock", LATER)
    assert (order.status, rejected.id, rejected.created_at) == (Status.PENDING, order.id, MOMENT)
    with pytest.raises(FrozenInstanceError):
        order.status = Status.SHIPPED


def test_a_transition_that_is_not_allowed_is_refused(order):
    with pytest.raises(IllegalTransition):
        order.move_to(Status.SHIPPED, at=LATER)


def test_an_order_is_shown_as_it_was_after_a_change(order):
    change = StatusChange(before=None, after=Status.PENDING, reason=None, at=MOMENT)
    confirmed = order.move_to(Status.CONFIRMED, at=LATER)
    assert confirmed.at_change(change) == order
