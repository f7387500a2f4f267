"""Orders are compared with the reservations that product_service publishes, both ways, and differences are repaired on demand."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from django.db.models import F

from libs.messaging.envelope import Event
from libs.values.times import now, rfc3339
from order_service.__main__ import main
from order_service.commands.reconcile import reconcile
from order_service.domain.order_id import new_id
from order_service.domain.rejection import Rejection
from order_service.events.topics import HELD_GROUP
from order_service.store import customers, reconciliation
from order_service.store.models import Order, OrderLine, Outbox, SentMail, StockDifference
from order_service.store.outbox import outbox
from order_service.tests.integration.stock import apply_stock_reply
from order_service.tests.integration.test_reservation_requests import relay
from order_service.use_cases.customers.erase_customer import erase_customer
from order_service.worker.handlers import HANDLERS
from order_service.worker.reconciliation import make_reconciliation_status

pytestmark = pytest.mark.django_db

HOURS = timedelta(hours=1)
ROUND = new_id(datetime(2026, 1, 31, 12, tzinfo=UTC))


def pieces_of(order):
    return dict(OrderLine.objects.filter(order_id=order).values_list("product_id", "quantity"))


def take(held, after=None, until=None, as_of=None, round=ROUND):
    """Handle a page. `held`: {order id: {product id: quantity}}."""
    rows = [
        {"orderId": order, "items": [{"productId": name, "quantity": count} for name, count in pieces.items()]}
        for order, pieces in held.items()
    ]
    data = {"round": round, "after": after, "until": until, "asOf": rfc3339(as_of or now()), "reservations": rows}
    HANDLERS[HELD_GROUP]["stock-held"](Event(new_id(now()), "stock-held", "stock-held", 1, "", data))


def found():
    return {row.order_id: (row.kind, row.status) for row in StockDifference.objects.all()}


@pytest.fixture
def order_in(customer, staff, place):
    """`order_in("shipped")`: the id of an order that has this status for a day."""

    def make(status):
        order = place(customer)
        if status == "rejected":
            apply_stock_reply(order_id=order, rejection=Rejection("out_of_stock"))
        elif status not in ("pending", "cancelled"):
            apply_stock_reply(order_id=order, rejection=None)
        if status == "cancelled":
            customer.send(f"/orders/{order}/cancel", {})
        for step in ("shipped", "delivered")[: ["shipped", "delivered"].index(status) + 1 if status[0] in "sd" else 0]:
            assert staff.send(f"/orders/{order}/status", {"status": step}, "PUT").status_code == 200
        Order.objects.filter(pk=order).update(updated_at=F("updated_at") - 24 * HOURS)
        assert Order.objects.get(pk=order).status == status
        return order

    return make


def test_orders_and_reservations_that_agree_are_no_difference(order_in):
    live = [order_in(status) for status in ("pending", "confirmed", "shipped")]
    for status in ("cancelled", "rejected", "delivered"):
        order_in(status)
    take({order: pieces_of(order) for order in live})
    assert found() == {}


def test_differences_both_ways_are_kept(order_in):
    held = {order_in(status): status for status in ("cancelled", "rejected")}
    missing = {order_in(status): status for status in ("confirmed", "shipped")}
    other = order_in("confirmed")
    unknown = new_id(now() - 2 * HOURS)
    page = {order: pieces_of(order) for order in held} | {other: {"x": 5}, unknown: {"y": 1}}
    take(page)
    assert found() == {
        **{order: ("held", status) for order, status in held.items()},
        **{order: ("missing", status) for order, status in missing.items()},
        other: ("different", "confirmed"),
        unknown: ("held", None),
    }


def test_what_changed_within_the_hour_is_not_compared(customer, place, place_confirmed):
    confirmed, cancelled = place_confirmed(customer), place(customer)
    customer.send(f"/orders/{cancelled}/cancel", {})
    take({cancelled: pieces_of(cancelled), new_id(now()): {"x": 1}})
    assert found() == {}
    take({cancelled: pieces_of(cancelled)}, as_of=now() + 2 * HOURS)
    assert found() == {confirmed: ("missing", "confirmed"), cancelled: ("held", "cancelled")}


def test_a_page_that_comes_late_does_not_judge_what_happened_since(order_in):
    order_in("confirmed")
    take({}, as_of=now() - 30 * HOURS)  # it was confirmed after the page
    assert found() == {}


def test_a_later_round_takes_out_what_agrees_again_and_keeps_the_time_of_the_rest(order_in):
    first, second = order_in("confirmed"), order_in("confirmed")
    take({})
    began = StockDifference.objects.get(pk=second).found_at
    take({first: pieces_of(first)})
    assert found() == {second: ("missing", "confirmed")}
    assert StockDifference.objects.get(pk=second).found_at == began


def test_a_page_judges_its_own_range_only(order_in):
    orders = sorted(order_in("confirmed") for _ in range(4))
    take({orders[0]: pieces_of(orders[0])}, until=orders[1])
    assert set(found()) == {orders[1]}
    take({}, after=orders[1])
    assert set(found()) == set(orders[1:])
    take({order: pieces_of(order) for order in orders[:2]}, until=orders[1])
    assert set(found()) == set(orders[2:])


def test_many_orders_without_a_reservation_are_found_in_batches(order_in, monkeypatch):
    monkeypatch.setattr("order_service.store.reconciliation.BATCH_SIZE", 2)
    orders = [order_in("confirmed") for _ in range(5)]
    take({})
    assert set(found()) == set(orders)


def test_an_earlier_page_that_is_read_again_changes_nothing(order_in):
    order, early = order_in("confirmed"), now()
    take({order: pieces_of(order)}, as_of=early + HOURS)
    take({}, as_of=early)
    assert found() == {}


def test_a_round_counts_when_all_of_its_pages_were_compared(order_in):
    orders, at = sorted(order_in("confirmed") for _ in range(3)), now().replace(microsecond=0)
    pages = [(None, orders[0]), (orders[0], orders[1]), (orders[1], None)]
    for number, (after, until) in enumerate(pages):
        assert reconciliation.checked_at() is None
        take({}, after, until, at + number * timedelta(seconds=1))
    assert reconciliation.checked_at() == at + timedelta(seconds=2)
    for after, until in (pages[0], pages[2]):  # the second page is lost
        take({}, after, until, at + timedelta(seconds=9))
    assert reconciliation.checked_at() == at + timedelta(seconds=2)


def test_the_reservation_of_a_delivered_order_is_closed(order_in):
    order = order_in("delivered")
    relay()
    take({order: pieces_of(order)})
    row = Outbox.objects.get()
    assert (row.topic, orjson.loads(row.payload)) == ("stock-release-requested", {"orderId": order, "delivered": True})
    assert (row.aggregate_id, row.sequence) == (order, Order.objects.get(pk=order).sequence)


def test_the_command_lists_the_differences(order_in, capsys):
    assert main(["reconcile"]) == 0
    assert "0 differences, not checked yet" in capsys.readouterr().out
    order = order_in("confirmed")
    take({})
    assert reconcile([]) == 1
    out = capsys.readouterr().out
    assert f"order {order} is confirmed, but holds nothing\n1 differences, checked at 20" in out
    assert not Outbox.objects.filter(topic="stock-release-requested").exists()


@pytest.mark.parametrize("known", [True, False])
def test_fix_asks_for_the_release_of_stock_that_no_order_needs(order_in, known):
    order = order_in("cancelled") if known else new_id(now() - 2 * HOURS)
    take({order: {"x": 1}})
    relay()
    for ask in (1, 2):
        assert reconcile(["--fix"]) == 1
        row = Outbox.objects.get()
        assert (row.topic, row.aggregate_id) == ("stock-release-requested", order)
        assert orjson.loads(row.payload) == {"orderId": order, "delivered": False}
        assert row.sequence == (Order.objects.get(pk=order).sequence if known else ask)
        relay()
    assert StockDifference.objects.get().asks == 2


def test_two_asks_before_the_relay_comes_are_two_events(order_in):
    order = order_in("rejected")
    take({order: {"x": 1}})
    relay()
    for _ in range(2):
        reconcile(["--fix"])
    assert Outbox.objects.count() == 2


def test_fix_requests_a_reservation_again_by_the_very_same_event(order_in, customer, place):
    order = place(customer)
    first = Outbox.objects.values("event_id", "topic", "aggregate_id", "sequence", "payload").get()
    apply_stock_reply(order_id=order, rejection=None)
    Order.objects.update(updated_at=F("updated_at") - 24 * HOURS)
    relay()
    take({})
    for _ in range(2):
        reconcile(["--fix"])
    again = Outbox.objects.values("event_id", "topic", "aggregate_id", "sequence", "payload").get()
    assert {**again, "payload": orjson.loads(again["payload"])} == {**first, "payload": orjson.loads(first["payload"])}


def test_an_order_of_before_is_requested_by_the_event_that_its_mail_names(order_in, capsys):
    known, unknown = order_in("confirmed"), order_in("confirmed")
    Order.objects.update(request_id=None)
    relay()
    event_id = new_id(now())
    SentMail.objects.create(event_id=event_id, kind="order-placed", order_id=known, sent_at=now())
    take({})
    reconcile(["--fix"])
    assert Outbox.objects.get().event_id == event_id
    assert f"order {unknown} is confirmed, but holds nothing: look at the order" in capsys.readouterr().out


def test_other_pieces_are_for_staff_to_look_at(order_in, capsys):
    order = order_in("confirmed")
    relay()
    take({order: {"x": 5}})
    assert reconcile(["--fix"]) == 1
    assert "look at the order" in capsys.readouterr().out
    assert outbox.backlog()[0] == 0


def test_health_shows_the_last_round_and_the_differences(order_in):
    task = make_reconciliation_status()
    assert task.status() == {"checkedAt": None, "differences": 0}
    order_in("confirmed")
    at = now().replace(microsecond=0)
    take({}, as_of=at)
    task._run_once()
    assert task.status() == {"checkedAt": rfc3339(at), "differences": 1}


def test_the_repeated_request_of_a_deleted_account_holds_no_name(order_in, customer):
    order = order_in("confirmed")
    relay()
    take({})
    customers.mark_deleted(customer.user_id)  # the erasure of the order has not come yet
    assert reconcile(["--fix"]) == 1
    assert not Outbox.objects.exists()
    erase_customer(user_id=customer.user_id)
    reconcile(["--fix"])
    payload = orjson.loads(Outbox.objects.get(aggregate_id=order).payload)
    assert (payload["userEmail"], payload["username"]) == (None, f"gone-{customer.user_id}")
