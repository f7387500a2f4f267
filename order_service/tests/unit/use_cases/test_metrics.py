"""How long an order waited for its decision, as a metric."""

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY

from libs.values.money import Money
from order_service.domain.customer import Customer, MailAddress
from order_service.domain.order import Order, OrderLine
from order_service.domain.order_status import Status
from order_service.use_cases.orders.metrics import observe_decision

MOMENT = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)


def value(name, outcome):
    return REGISTRY.get_sample_value(f"order_decision_seconds_{name}", {"outcome": outcome}) or 0.0


@pytest.fixture
def order() -> Order:
    lines = [OrderLine(product_id="p", name="Lamp", quantity=3, unit_price=Money(1990, "USD"), product_version=1)]
    customer = Customer(user_id="u1", username="ann", address=MailAddress(email="ann@example.com"))
    return Order.place(customer=customer, lines=lines, shipping_address=None, at=MOMENT)


@pytest.mark.parametrize("status", [Status.CONFIRMED, Status.REJECTED, Status.CANCELLED])
def test_a_decision_is_observed_with_its_outcome(order, status):
    outcome = str(status)
    before = value("sum", outcome), value("count", outcome)
    observe_decision(order, order.move_to(status, at=MOMENT + timedelta(seconds=3)))
    assert (value("sum", outcome), value("count", outcome)) == (before[0] + 3, before[1] + 1)


def test_a_later_transition_is_no_decision(order):
    confirmed = order.move_to(Status.CONFIRMED, at=MOMENT)
    observe_decision(confirmed, confirmed.move_to(Status.SHIPPED, at=MOMENT + timedelta(days=1)))
    assert value("count", "shipped") == 0


def test_a_clock_that_went_back_gives_no_negative_time(order):
    before = value("sum", "confirmed")
    observe_decision(order, order.move_to(Status.CONFIRMED, at=MOMENT - timedelta(seconds=3)))
    assert value("sum", "confirmed") == before
