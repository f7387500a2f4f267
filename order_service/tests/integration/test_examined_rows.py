"""How many rows the server reads for a page of a list and for a task of the worker: a bounded number, whatever is chosen."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from libs.access.caller import Caller
from libs.values.pages import PageRequest
from libs.values.times import now
from order_service.api.filters import OrderFilters, StaffOrderFilters, form_of
from order_service.domain.order_id import first_id, new_id
from order_service.domain.reconciliation import HeldPage
from order_service.queries import figures, order_json, orders
from order_service.store import models, reconciliation, sales
from order_service.store.models import Order, OrderChange, OrderLine
from order_service.store.order_tables import change_feed, old_records
from order_service.tests.integration.explain import explain
from order_service.use_cases.orders.time_out_order import time_out_overdue_orders
from order_service.use_cases.stock.resend_release_requests import resend_release_requests
from order_service.use_cases.stock.resend_reservation_requests import resend_reservation_requests

pytestmark = pytest.mark.django_db

ROWS = 12_000  # one a minute
BOUND = PageRequest("newest").bound
STAFF = Caller("s" * 24, "staff@example.com", "staff", ("staff",))
CUSTOMER = Caller("customer-7", "c7@example.com", "c7")
LARGE = Caller("customer-large", "large@example.com", "large")


@pytest.fixture(scope="module")
def many(django_db_setup, django_db_blocker):
    """Orders of 300 customers and of a large one, committed: ANALYZE would commit them anyway."""
    began, made, lines, changes = now() - timedelta(minutes=ROWS), [], [], []
    for n in range(ROWS):
        at, who = began + timedelta(minutes=n), "large" if n % 3 == 0 else n % 300
        status = "pending" if n % 3000 == 5 else "confirmed" if n % 100 == 7 else "delivered"
        columns = {"user_id": f"customer-{who}", "user_email": f"c{who}@example.com", "username": f"c{who}"}
        changed = at if n % 200 else now() - timedelta(minutes=1)
        row = Order(id=new_id(at), status=status, currency="USD", total=1, sequence=1, **columns)
        row.created_at, row.updated_at = at, changed
        made.append(row)
        line = {"product_id": f"p{n % 50}", "name": "P", "quantity": 1, "unit_price": 1, "product_version": 1}
        lines.append(OrderLine(order_id=row.id, position=1, line_total=1, **line))
        changes.append(OrderChange(order_id=row.id, to_status=status, actor="saga", at=at, number=n + 1))
    with django_db_blocker.unblock():
        for rows in (made, lines, changes):
            type(rows[0]).objects.bulk_create(rows, batch_size=2000)
        with connection.cursor() as cursor:
            for table in ("orders", "order_lines", "order_changes"):
                cursor.execute(f"ANALYZE TABLE {table}")
                cursor.fetchall()
        yield began
        for model in (OrderChange, OrderLine, Order):
            model.objects.all()._raw_delete("default")


def rows_read(act):
    """How many rows and keys the server reads while `act` runs: its own counters of this connection."""

    def counters():
        with connection.cursor() as cursor:
            cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%'")
            return sum(int(value) for _, value in cursor.fetchall())

    counters()
    start = counters()
    nothing = counters() - start
    start = counters()
    act()
    return counters() - start - nothing


def ask(caller, path):
    kind = StaffOrderFilters if caller is STAFF else OrderFilters
    form = form_of(kind)(QueryDict(urlsplit(path).query).dict())
    form.require_valid()
    return form


QUERIES = [
    (STAFF, ""),
    (STAFF, "limit=100"),
    (STAFF, "status=pending"),
    (STAFF, "status=delivered&createdBefore={middle}"),
    (STAFF, "userId=customer-large"),
    (STAFF, "userId=customer-large&status=pending"),
    (STAFF, "userId=customer-large&status=confirmed"),
    (STAFF, "updatedAfter={lately}"),
    (STAFF, "updatedAfter={middle}"),
    (STAFF, "updatedAfter={middle}&status=confirmed"),
    (STAFF, "updatedAfter={middle}&createdBefore={middle}"),
    (STAFF, "search=c42"),
    (STAFF, "search=c"),
    (STAFF, "search=nobody"),
    (STAFF, "search=c&status=pending"),
    (STAFF, "search=c&updatedAfter={middle}"),
    (STAFF, "search=clarge&createdBefore={middle}"),
    (CUSTOMER, ""),
    (CUSTOMER, "status=pending"),
    (LARGE, "status=pending"),
    (LARGE, "updatedAfter={lately}"),
    (LARGE, "updatedAfter={middle}"),
]


@pytest.mark.parametrize("sort", ["newest", "oldest"])
@pytest.mark.parametrize(("caller", "query"), QUERIES)
def test_each_page_of_a_list_reads_a_bounded_number_of_rows_and_no_order_is_missing(many, caller, query, sort):
    times = {"middle": many + timedelta(minutes=ROWS // 2), "lately": now() - timedelta(minutes=2)}
    texts = {name: at.isoformat(timespec="seconds").replace("+00:00", "Z") for name, at in times.items()}
    path, found = "/orders?" + "&".join(filter(None, [query.format(**texts), f"sort={sort}"])), []
    form = ask(caller, path)
    limit = form.page.limit
    expected = orders.orders_of(caller).order_by("id" if sort == "oldest" else "-id")
    expected = list(form.narrow(expected).values_list("id", flat=True))
    pages = 0
    while path and len(found) < 5 * limit:
        form, page = ask(caller, path), None

        def read(form=form):
            nonlocal page
            page = order_json.list_orders(form.as_filter(caller), form.page)

        assert rows_read(read) <= 5 * form.page.bound, path
        found += [order["id"] for order in page.results]
        pages += 1
        path = page.render(path, lambda order: None)["next"]
    assert found == expected[: len(found)]
    assert len(found) >= min(len(expected), 5 * limit)
    assert pages <= ROWS / BOUND + len(found) / limit + 2


def test_a_page_that_is_cut_leads_back_to_all_that_is_before_it(many):
    lately = (now() - timedelta(minutes=2)).isoformat(timespec="seconds").replace("+00:00", "Z")
    path, pages = f"/orders?userId=customer-large&status=pending&sort=oldest&updatedAfter={lately}", []
    form = ask(STAFF, path)
    page = order_json.list_orders(form.as_filter(STAFF), form.page)
    rendered = page.render(path, lambda order: order["id"])
    while rendered["next"]:
        pages.append(rendered["results"])
        form = ask(STAFF, path := rendered["next"])
        rendered = order_json.list_orders(form.as_filter(STAFF), form.page).render(path, lambda order: order["id"])
    assert sum(map(len, pages), len(rendered["results"])) == form.narrow(orders.orders_of(STAFF)).count()


def held_page(many):
    middle = first_id(many + timedelta(minutes=ROWS // 2))
    return HeldPage(round="R", after=None, until=middle, as_of=now(), held={})


TASKS = {
    "requests are resent": lambda many: resend_reservation_requests() + resend_release_requests(),
    "orders are timed out": lambda many: time_out_overdue_orders(pending_limit=1800, handled_until=lambda: None),
    "the oldest pending order is found": lambda many: figures.oldest_pending_seconds(),
    "old records are deleted": lambda many: old_records.purge(),
    "changes are numbered": lambda many: change_feed.number_changes(),
    "the feed is read": lambda many: change_feed.read_after(ROWS // 2, limit=100),
    "the feed is read to its end": lambda many: change_feed.read_after(ROWS, limit=100),
    "reservations are compared": lambda many: list(reconciliation.in_need(held_page(many), now())),
}


@pytest.mark.parametrize("task", TASKS)
def test_a_task_reads_a_bounded_number_of_rows(many, task):
    assert rows_read(lambda: TASKS[task](many)) <= 1000


def test_sales_are_counted_from_the_orders_that_changed_and_shown_without_reading_orders(many):
    at = now() + timedelta(minutes=2)
    while sales.count_changes(at) >= sales.MAX_PERIODS:
        pass
    order = Order.objects.order_by("id")[ROWS // 2]
    Order.objects.filter(pk=order.pk).update(updated_at=at + timedelta(minutes=1), status="cancelled")
    assert rows_read(lambda: sales.count_changes(at + timedelta(minutes=3))) <= 500
    read = []
    counted = models.SalesPeriod.objects.count()
    assert rows_read(lambda: read.append(figures.sales())) <= 4 * counted + 100
    assert read[0].statuses["cancelled"] == 1
    assert sum(read[0].statuses.values()) == ROWS


@pytest.mark.parametrize(
    "query", ["", "status__exact=delivered", "placed={year}", "placed={year}&status__exact=delivered"]
)
def test_a_total_of_the_desk_reads_no_more_rows_than_it_counts(sit_down, many, monkeypatch, query):
    for module in ("model_admin", "orders.order_list"):
        monkeypatch.setattr(f"order_service.desk.{module}.MAX_COUNTED", 1000)
    desk, path = sit_down("staff"), f"/admin/orders/order/?{query.format(year=many.year)}"
    desk.get(path)
    read = rows_read(lambda: desk.get(path))
    with CaptureQueriesContext(connection) as asked:
        desk.get(path)
    plans = [explain(it["sql"]) for it in asked.captured_queries if "`orders`" in it["sql"]]
    assert read <= 2 * 1000 + 500, plans  # each is read from the index, and counted


def test_a_page_of_the_desk_skips_keys_and_no_rows(sit_down, many):
    desk = sit_down("staff")
    desk.get("/admin/orders/order/")
    first = rows_read(lambda: desk.get("/admin/orders/order/?status__exact=delivered"))
    deep = rows_read(lambda: desk.get("/admin/orders/order/?status__exact=delivered&p=190"))
    assert deep <= first + 10_000 + 500
