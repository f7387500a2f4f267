"""The deletion of an account beside transactions in flight: threads that are stopped in the middle of their work."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connection

from libs.access.caller import Caller
from libs.values.errors import NotAuthenticated
from order_service.domain.pricing import RequestedItem
from order_service.store import customers
from order_service.store.models import Order, Outbox, OutboxDead, ReservationRequest
from order_service.store.order_tables import notes, order_batches, orders
from order_service.store.outbox import outbox
from order_service.tests.integration.stock import apply_stock_reply
from order_service.tests.integration.test_cancelling_once import cancel
from order_service.tests.integration.test_deleted_accounts import delete, found, words_of
from order_service.tests.integration.test_erasing import GRACE
from order_service.use_cases.mails.resend_mail import resend_mail
from order_service.use_cases.orders.add_note import add_note
from order_service.use_cases.orders.place_order import place_order
from order_service.use_cases.orders.time_out_order import time_out_order
from order_service.use_cases.resend_dead_events import resend_dead_events
from order_service.use_cases.stock.resend_reservation_requests import resend_reservation_requests

pytestmark = pytest.mark.django_db(transaction=True)

DEADLINE_SECONDS = 20


def delete_patiently(user_id):
    """Handle the event as the consumer does: again while the database does not answer in time."""
    end = time.monotonic() + DEADLINE_SECONDS
    while True:
        try:
            return delete(user_id)
        except OperationalError:
            assert time.monotonic() < end, "the deadline passed"


def in_thread(work, *arguments):
    """The work on a connection of its own."""
    try:
        return work(*arguments)
    finally:
        connection.close()


class Pause:
    """Stops the first call of a function at its end until it is let go, inside its transaction."""

    def __init__(self, monkeypatch, owner, name):
        self.reached, self.go = threading.Event(), threading.Event()
        work, first = getattr(owner, name), threading.Lock()

        def paused(*arguments, **named):
            result = work(*arguments, **named)
            if first.acquire(blocking=False):
                self.reached.set()
                assert self.go.wait(DEADLINE_SECONDS)
            return result

        monkeypatch.setattr(owner, name, paused)


@pytest.fixture
def race():
    """`race(work, pause, user_id)`: delete the account while `work` is paused in its transaction. Returns what `work` gave."""

    def run(work, pause, user_id):
        with ThreadPoolExecutor(2) as pool:
            working = pool.submit(in_thread, work)
            assert pause.reached.wait(DEADLINE_SECONDS)
            deleting = pool.submit(in_thread, delete_patiently, user_id)
            time.sleep(0.3)  # the deletion meets a lock, or is done
            pause.go.set()
            deleting.result(DEADLINE_SECONDS)
            return working.result(DEADLINE_SECONDS)

    return run


@pytest.mark.parametrize(
    ("owner", "name", "key"), [(customers, "hold", None), (orders, "execute_all", "k")], ids=["account", "rows"]
)
def test_an_order_in_flight_is_erased_after_it(customer, post, race, monkeypatch, owner, name, key):
    post(customer)  # a first order locks the row that it adds; the second one holds a row that is there
    pause = Pause(monkeypatch, owner, name)
    answer = race(lambda: post(customer, key), pause, customer.user_id)
    assert answer.status_code == 201
    assert {order.username for order in Order.objects.all()} == {f"gone-{customer.user_id}"}
    assert found(*words_of(customer.user_id)) == set()


def test_an_order_that_comes_during_the_erasure_is_refused(customer, post, sell, monkeypatch):
    post(customer)
    pause = Pause(monkeypatch, customers, "mark_deleted")
    name = f"u{customer.user_id[:10]}"
    caller = Caller(customer.user_id, f"{name}@example.com", name)
    items = [RequestedItem(product_id=sell(), quantity=1)]
    with ThreadPoolExecutor(1) as pool:
        deleting = pool.submit(in_thread, delete_patiently, customer.user_id)
        assert pause.reached.wait(DEADLINE_SECONDS)
        with pytest.raises(NotAuthenticated):
            place_order(caller=caller, items=items, shipping_address=None, read_offers=lambda _: None)
        pause.go.set()
        deleting.result(DEADLINE_SECONDS)
    assert found(*words_of(customer.user_id)) == set()


@pytest.mark.parametrize("work", ["confirm", "resend", "staff cancels with a key", "note"])
def test_a_change_in_flight_is_erased_after_it(customer, staff, post, race, monkeypatch, work):
    placed = post(customer).json()["orderId"]
    works = {
        "confirm": lambda: apply_stock_reply(order_id=placed, rejection=None),
        "resend": lambda: resend_mail(caller=GRACE, order_id=placed, kind="order-placed"),
        "staff cancels with a key": lambda: cancel(staff, placed),
        "note": lambda: add_note(caller=GRACE, order_id=placed, text="Ada L rang"),
    }
    places = {"note": (notes.customers, "hold_all"), "confirm": (order_batches.outbox, "add_all")}
    owner, name = places.get(work, (orders.outbox, "add"))
    race(works[work], Pause(monkeypatch, owner, name), customer.user_id)
    assert found(*words_of(customer.user_id)) == set()


@pytest.mark.parametrize("end", ["reply", "timeout"])
def test_an_order_that_was_read_before_the_deletion_is_erased_after_it(customer, post, race, monkeypatch, end):
    """A reply holds the row that it has read. A time-out reads again when the row has changed."""
    placed = post(customer).json()["orderId"]
    pause = Pause(monkeypatch, *((order_batches, "lock") if end == "reply" else (orders, "find")))
    works = {
        "reply": lambda: apply_stock_reply(order_id=placed, rejection=None),
        "timeout": lambda: time_out_order(order_id=placed),
    }
    race(works[end], pause, customer.user_id)
    assert found(*words_of(customer.user_id)) == set()
    assert Order.objects.get(pk=placed).status == ("confirmed" if end == "reply" else "cancelled")


@pytest.mark.parametrize("move", ["to dead", "requeue", "resend a request"])
def test_an_event_that_is_moved_at_the_same_time_is_erased(customer, post, race, monkeypatch, move):
    post(customer)
    [row] = outbox.pending(200)
    works = {
        "to dead": lambda: outbox.move_to_dead(row, "TOPIC_EXCEPTION"),
        "requeue": lambda: resend_dead_events(caller=GRACE, event_ids=[row.event_id]),
        "resend a request": resend_reservation_requests,
    }
    if move == "requeue":
        outbox.move_to_dead(row, "TOPIC_EXCEPTION")
    elif move == "resend a request":
        outbox.delete([row])
        ReservationRequest.objects.update(resend_at="2026-01-01T00:00:00Z")
    table = OutboxDead if move == "to dead" else Outbox
    race(works[move], Pause(monkeypatch, type(table.objects), "bulk_create"), customer.user_id)
    assert table.objects.count() == 1
    assert found(*words_of(customer.user_id)) == set()


def test_many_orders_and_the_deletion_at_once_leave_nothing(customer, post):
    token = customer.defaults["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    statuses, some = [], threading.Event()

    def place(number):
        client = type(customer)(token, customer.user_id)
        for n in range(100):
            status = post(client, f"{number}-{n}").status_code
            statuses.append(status)
            if len(statuses) >= 10:
                some.set()
            if status == 401:
                return

    with ThreadPoolExecutor(9) as pool:
        placing = [pool.submit(in_thread, place, number) for number in range(8)]
        assert some.wait(DEADLINE_SECONDS)
        pool.submit(in_thread, delete_patiently, customer.user_id).result(60)
        for work in placing:
            work.result(60)
    assert {201, 401} <= set(statuses) <= {201, 401, 503}
    assert found(*words_of(customer.user_id)) == set()
