"""GET /orders/changes: each change of each order once, however late its transaction commits. And what lists by time promise."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.db import connection

from libs.values.times import now, rfc3339
from order_service.domain.settling import MAX_TRANSACTION_AGE
from order_service.store.models import ChangeFeed, Order, OrderChange
from order_service.store.order_tables import change_feed, orders
from order_service.tests.integration.test_deletion_races import DEADLINE_SECONDS, Pause
from order_service.tests.integration.test_placing import problem

pytestmark = pytest.mark.django_db

FEED = "/orders/changes"
WRITERS, ORDERS = 16, 4


def read(caller, path=FEED):
    """The entries of a page, and the link to what follows."""
    answer = caller.get(path)
    assert answer.status_code == 200, answer.content
    page = answer.json()
    assert set(page) == {"next", "results"}
    return page["results"], page["next"]


def follow(caller, path=FEED):
    """All entries that there are now, and where to go on."""
    found = []
    while True:
        entries, path = read(caller, path)
        if not entries:
            return found, path
        found += entries


def steps(entries):
    return [(entry["order"]["id"], entry["previousStatus"], entry["status"]) for entry in entries]


@pytest.fixture
def viewer(make_caller):
    return make_caller("viewer")


@pytest.fixture
def end(viewer):
    """Where the feed ends now."""
    return follow(viewer)[1]


def test_each_change_is_one_entry_with_the_order_as_it_is(viewer, staff, customer, end, place, place_confirmed):
    shipped, cancelled = place_confirmed(customer), place(customer)
    staff.send(f"/orders/{shipped}/status", {"status": "shipped"}, "PUT")
    customer.send(f"/orders/{cancelled}/cancel", {})
    entries, _ = follow(viewer, end)
    assert steps(entries) == [
        (shipped, None, "pending"),
        (shipped, "pending", "confirmed"),
        (cancelled, None, "pending"),
        (shipped, "confirmed", "shipped"),
        (cancelled, "pending", "cancelled"),
    ]
    assert all(entry["order"] == viewer.get(f"/orders/{entry['order']['id']}").json() for entry in entries)
    assert entries[3]["at"] == entries[3]["order"]["updatedAt"]


def test_a_client_polls_next_and_misses_nothing(viewer, customer, end, place):
    assert read(viewer, end) == ([], end)
    first = place(customer)
    entries, after = read(viewer, end)
    assert steps(entries) == [(first, None, "pending")]
    assert read(viewer, after) == ([], after)
    second = place(customer)
    assert steps(read(viewer, after)[0]) == [(second, None, "pending")]
    assert steps(read(viewer, end)[0]) == [(first, None, "pending"), (second, None, "pending")]


def test_a_page_has_as_many_entries_as_asked_for(viewer, customer, end, place):
    placed = [place(customer) for _ in range(5)]
    path, sizes, seen = end.replace("limit=20", "limit=2"), [], []
    while entries := read(viewer, path)[0]:
        path = read(viewer, path)[1]
        assert "limit=2" in path
        sizes.append(len(entries))
        seen += [entry["order"]["id"] for entry in entries]
    assert (sizes, seen) == ([2, 2, 1], placed)


def test_more_changes_than_a_batch_are_numbered_by_and_by(viewer, customer, end, place, monkeypatch):
    monkeypatch.setattr(change_feed, "BATCH_SIZE", 2)
    placed = [place(customer) for _ in range(5)]
    assert [order for order, _, _ in steps(follow(viewer, end)[0])] == placed


@pytest.mark.parametrize(
    "query",
    ["after=x", "after=-1", "after=", "after=1e3", f"after={2**63}", "after=%D9%A1", "limit=0", "limit=101", "x=1"],
)
def test_a_bad_parameter_is_named(viewer, query):
    body = problem(viewer.get(f"{FEED}?{query}"), 400, "invalid")
    assert [row["field"] for row in body["errors"]] == [query.split("=")[0]]


def test_a_cursor_beyond_the_feed_is_refused(viewer, customer, end, place):
    """Such a cursor comes from before a restore. A client that polled it would miss all changes up to its number."""
    place(customer)
    _, after = follow(viewer, end)
    number = int(after.partition("after=")[2].partition("&")[0])
    for beyond in (number + 1, 2**63 - 1):
        body = problem(viewer.get(f"{FEED}?after={beyond}"), 400, "invalid")
        assert [(row["field"], row["code"]) for row in body["errors"]] == [("after", "invalid-cursor")]
    assert read(viewer, after) == ([], after)
    OrderChange.objects.filter(number=number).delete()  # by retention
    assert read(viewer, after) == ([], after)


@pytest.mark.parametrize("query", ["limit=1&limit=2", "limit=1&limit=1", "x=&x=1"])
def test_each_parameter_is_there_once(viewer, query):
    body = problem(viewer.get(f"{FEED}?{query}"), 400, "repeated")
    assert [row["field"] for row in body["errors"]] == [query.split("=")[0]]


@pytest.mark.parametrize("value", ["", "%20"])
def test_an_empty_parameter_is_not_taken_for_a_cursor(viewer, value):
    body = problem(viewer.get(f"{FEED}?after={value}&limit={value}"), 400, "invalid")
    assert [(row["field"], row["code"]) for row in body["errors"]] == [("after", "blank"), ("limit", "blank")]


def test_only_those_who_work_here_read_it(anybody, customer, viewer, sit_down):
    problem(anybody.get(FEED), 401, "not-authenticated")
    problem(customer.get(FEED), 403, "not-allowed")
    assert viewer.get(f"{FEED}/").status_code == 200
    assert sit_down("viewer").get(FEED).status_code == 200


def test_a_poll_without_news_takes_three_queries(viewer, end, customer, place, django_assert_num_queries):
    place(customer)
    _, end = follow(viewer, end)
    with django_assert_num_queries(3):
        read(viewer, end)
    for _ in range(2):  # the first one makes the row of the feed
        place(customer)
        _, end = read(viewer, end)
    place(customer)
    with django_assert_num_queries(
        11
    ):  # savepoints of the test, lock, ids, highest, two updates; changes, orders, lines
        read(viewer, end)


def test_numbers_go_on_after_the_highest_one_when_the_row_of_the_feed_is_lost(viewer, customer, end, place):
    first = place(customer)
    _, after = follow(viewer, end)
    ChangeFeed.objects.all().delete()
    second = place(customer)
    assert steps(follow(viewer, after)[0]) == [(second, None, "pending")]
    assert steps(follow(viewer, end)[0]) == [(first, None, "pending"), (second, None, "pending")]


@pytest.mark.django_db(transaction=True)
def test_sixteen_writers_of_whom_one_is_slow_are_each_seen_once(viewer, make_caller, sell, place, monkeypatch):
    lamp, callers = sell(), [make_caller() for _ in range(WRITERS)]
    pause, done = Pause(monkeypatch, orders, "execute_all"), threading.Event()

    def write(caller, count):
        try:
            made = []
            for _ in range(count):
                made.append(place(caller, lamp))
                caller.send(f"/orders/{made[-1]}/cancel", {})
            return made
        finally:
            connection.close()

    def poll(token):
        """Follow the feed until all writers are done, and then once again."""
        client, seen, path = type(viewer)(token), [], FEED
        try:
            while True:
                last = done.is_set()
                entries, path = follow(client, path)
                seen += steps(entries)
                if last:
                    return seen
        finally:
            connection.close()

    token = viewer.defaults["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    with ThreadPoolExecutor(WRITERS + 2) as pool:
        readers = [pool.submit(poll, token) for _ in range(2)]
        slow = pool.submit(write, callers[0], 1)
        assert pause.reached.wait(DEADLINE_SECONDS)
        fast = [pool.submit(write, caller, ORDERS) for caller in callers[1:]]
        made = [order for writer in fast for order in writer.result(DEADLINE_SECONDS)]
        early, path = follow(viewer)
        pause.go.set()
        late = slow.result(DEADLINE_SECONDS)
        done.set()
        seen = [reader.result(DEADLINE_SECONDS) for reader in readers]
    both = [(None, "pending"), ("pending", "cancelled")]
    expected = {(order, *step) for order in (*made, *late) for step in both}
    assert set(steps(early)) == {(order, *step) for order in made for step in both}
    assert steps(follow(viewer, path)[0]) == [(late[0], *step) for step in both]
    assert [set(found) for found in seen] == [expected, expected]
    assert [len(found) for found in (*seen, early)] == [len(expected), len(expected), len(expected) - 2]
    ids = list(OrderChange.objects.order_by("number").values_list("id", flat=True))
    assert ids != sorted(ids)  # the slow writer's record came first, and is numbered last


@pytest.mark.django_db(transaction=True)
def test_a_change_that_takes_too_long_is_rolled_back(customer, staff, sell, place_confirmed, monkeypatch):
    placed, lamp = place_confirmed(customer), sell()
    late = now() + MAX_TRANSACTION_AGE + timedelta(minutes=10)
    monkeypatch.setattr(orders, "now", lambda: late)
    problem(customer.send("/orders", {"productId": lamp, "quantity": 1}), 503, "unavailable")
    problem(staff.send(f"/orders/{placed}/status", {"status": "shipped"}, "PUT"), 503, "unavailable")
    assert list(Order.objects.filter(user_id=customer.user_id).values_list("id", "status")) == [(placed, "confirmed")]


def test_orders_are_filtered_by_the_time_of_their_last_change(customer, place):
    old, changed, new = place(customer), place(customer), place(customer)
    moment = now() - timedelta(hours=1)
    Order.objects.filter(pk=old).update(updated_at=moment - timedelta(milliseconds=1))
    Order.objects.filter(pk=changed).update(updated_at=moment)

    def found(query):
        return [order["id"] for order in customer.get(f"/orders?{query}").json()["results"]]

    assert found(f"updatedAfter={quote(rfc3339(moment))}&sort=oldest") == [changed, new]
    assert found(f"updatedAfter={quote(rfc3339(moment))}&limit=1") == [new]
    body = problem(customer.get("/orders?updatedAfter=yesterday"), 400, "invalid")
    assert [row["field"] for row in body["errors"]] == ["updatedAfter"]
