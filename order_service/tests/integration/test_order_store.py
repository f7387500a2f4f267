"""Orders in the database: rows become the same order again, and an update is guarded by what was read."""

from dataclasses import replace

import pytest

from libs.values.money import Money
from libs.values.times import now
from order_service.domain.actor import SAGA, Actor
from order_service.domain.customer import Customer, MailAddress
from order_service.domain.order import Order, OrderLine, ShippingAddress
from order_service.domain.order_status import Status
from order_service.events.published import OrderConfirmed, OrderPlaced
from order_service.store import models
from order_service.store.order_tables import orders
from order_service.use_cases.customers.erase_customer import erase_customer

pytestmark = pytest.mark.django_db

ADDRESS = ShippingAddress(name="Ann", line1="Street 1", city="Oslo", postal_code="0150", country="NO")


@pytest.fixture
def order():
    lines = [
        OrderLine(product_id="a", name="Lamp é", quantity=3, unit_price=Money(1990, "EUR"), product_version=4),
        OrderLine(product_id="b", name="Oil", quantity=1, unit_price=Money(0, "EUR"), product_version=1),
    ]
    customer = Customer(user_id="u" * 24, username="ann", address=MailAddress(email="ann@example.com"))
    new = Order.place(customer=customer, lines=lines, shipping_address=ADDRESS, at=now())
    return orders.add(new, OrderPlaced.of(new), actor=Actor.customer(customer.user_id))


def confirm(order):
    after = order.move_to(Status.CONFIRMED, at=now())
    return orders.update(order, after, OrderConfirmed.of(after, order.status), actor=SAGA)


def sequences(order):
    return list(models.Outbox.objects.filter(aggregate_id=order.id).order_by("id").values_list("sequence", flat=True))


@pytest.mark.parametrize("address", [None, ADDRESS, replace(ADDRESS, line2="Flat 2")])
def test_an_order_is_read_as_it_was_written(order, address):
    other = replace(order, id=order.id[::-1], shipping_address=address)
    orders.add(other, OrderPlaced.of(other), actor=Actor.customer("u"))
    assert orders.find(other.id) == other
    assert orders.read(models.Order.objects.order_by("id")) == sorted([order, other], key=lambda found: found.id)


def test_the_store_counts_the_events(order):
    confirmed = confirm(order)
    assert (order.version, confirmed.version, sequences(order)) == (1, 2, [1, 2])
    assert orders.find(order.id) == confirmed


def test_an_update_of_an_old_version_writes_nothing(order):
    confirmed = confirm(order)
    assert confirm(order) is None
    assert (orders.find(order.id), sequences(order)) == (confirmed, [1, 2])
    assert models.OrderChange.objects.filter(order_id=order.id).count() == 2


def test_an_update_after_an_erasure_writes_nothing(order):
    erase_customer(user_id=order.customer.user_id)
    assert confirm(order) is None
    erased = orders.find(order.id)
    assert (erased.customer.email, erased.shipping_address) == (None, None)
    assert confirm(erased).status is Status.CONFIRMED
    assert '"userEmail":null' in models.Outbox.objects.get(aggregate_id=order.id, sequence=2).payload
