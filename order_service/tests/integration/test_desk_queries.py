"""How many queries the desk's pages take, and that each of them finds its rows by an index."""

import json
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from libs.values.times import now
from order_service.domain.order_id import new_id
from order_service.store.models import CatalogueProduct, Order, OrderChange, OrderLine
from order_service.tests.integration.explain import explain

pytestmark = pytest.mark.django_db

ORDERS = "/admin/orders/order/"
BIG = {"orders", "order_lines", "order_changes", "catalogue_products"}
COUNT, DAYS = 4000, 90
STATUSES = ["delivered"] * 40 + ["shipped", "confirmed", "cancelled", "rejected", "pending"] * 2


@pytest.fixture
def many(db):
    """A shop of three months; the ids of its orders, the oldest first."""
    ids, orders, lines = [], [], []
    for number in range(COUNT):
        moment = now() - timedelta(days=DAYS) * (COUNT - number) / COUNT
        name = f"customer{number % 900}"
        columns = {"user_id": f"{number % 900:024x}", "user_email": f"{name}@example.com", "username": name}
        columns |= {"status": STATUSES[number % len(STATUSES)], "total": "9.90", "currency": "USD", "sequence": 1}
        ids.append(new_id(moment))
        orders.append(Order(id=ids[-1], created_at=moment, updated_at=moment, **columns))
        product = number % 300
        line = {"product_id": f"{product:024x}", "name": f"Lamp {product:03}", "quantity": 1, "product_version": 1}
        lines.append(OrderLine(order_id=ids[-1], position=1, unit_price="9.90", line_total="9.90", **line))
    Order.objects.bulk_create(orders, 500)
    OrderLine.objects.bulk_create(lines, 1000)
    OrderChange.objects.bulk_create(
        [OrderChange(order_id=i, to_status="pending", actor="x", at=now()) for i in ids], 1000
    )
    products = [
        CatalogueProduct(
            product_id=f"{n:024x}", name=f"Lamp {n}", price="1", currency="USD", active=n % 9 > 0, version=1
        )
        for n in range(2000)
    ]
    for product in products:
        product.updated_at = now()
    CatalogueProduct.objects.bulk_create(products, 1000)
    return ids


def plans(browser, path):
    """(sql, access, extra) of each read of a big table that a page makes."""
    with CaptureQueriesContext(connection) as queries:
        answer = browser.get(path)
    assert answer.status_code == 200
    found = []
    for query in queries.captured_queries:
        if not query["sql"].startswith("SELECT"):
            continue
        rows = [row for row in explain(query["sql"]) if row["table"] in BIG]
        found += [(query["sql"], row["type"], row["Extra"] or "") for row in rows]
    return found


def is_bounded(sql, access, extra):
    """Neither a scan nor a sort of a table; walking along an index ends where the LIMIT is."""
    return "filesort" not in extra and (access not in ("ALL", "index") or (access == "index" and " LIMIT " in sql))


PATHS = {
    "the list": ORDERS,
    "the last page": f"{ORDERS}?p=79",
    "the other way": f"{ORDERS}?o=1",
    "another order": f"{ORDERS}?o=3.4.5",
    "a status": f"{ORDERS}?status__exact=confirmed",
    "a status of most": f"{ORDERS}?status__exact=delivered",
    "waiting": f"{ORDERS}?waiting=long",
    "a day": f"{ORDERS}?placed=DAY",
    "a month and a status": f"{ORDERS}?placed=MONTH&status__exact=delivered",
    "a customer": f"{ORDERS}?user_id={7:024x}",
    "an id": f"{ORDERS}?q=ID",
    "an address": f"{ORDERS}?q=customer7@example.com",
    "the beginning of a name": f"{ORDERS}?q=customer89",
    "a product": f"{ORDERS}?q={7:024x}",
    "the beginning of a product": f"{ORDERS}?q=Lamp+29",
    "an order": f"{ORDERS}ID/change/",
    "the first page": "/admin/",
    "the catalogue": "/admin/orders/catalogueproduct/",
    "the catalogue's inactive": "/admin/orders/catalogueproduct/?active__exact=0",
    "the catalogue by name": "/admin/orders/catalogueproduct/?q=Lamp+19",
    "the catalogue by price": "/admin/orders/catalogueproduct/?o=3",
}


def test_an_id_is_looked_up_and_not_walked_to(sit_down, many):
    found = plans(sit_down("staff"), f"{ORDERS}?q={many[2000]}")
    by_id = [access for sql, access, _ in found if "`orders`.`id` LIKE" in sql]
    assert by_id
    assert set(by_id) <= {"range", "const"}


def test_no_page_reads_or_sorts_a_whole_table(sit_down, many):
    desk, day = sit_down("staff"), now() - timedelta(days=20)
    for what, path in PATHS.items():
        path = path.replace("ID", many[2000]).replace("DAY", f"{day:%Y-%m-%d}").replace("MONTH", f"{day:%Y-%m}")
        found = plans(desk, path)
        assert found, what
        assert [plan for plan in found if not is_bounded(*plan)] == [], what


@pytest.mark.parametrize(
    ("path", "count"),
    [(ORDERS, 7), (f"{ORDERS}?q=customer7@example.com", 14), (f"{ORDERS}ID/change/", 11), ("/admin/", 17)],
)
def test_a_page_takes_as_many_queries_however_many_orders_there_are(sit_down, many, path, count):
    desk = sit_down("staff")
    with CaptureQueriesContext(connection) as queries:
        assert desk.get(path.replace("ID", many[-1])).status_code == 200
    reads = [query["sql"] for query in queries.captured_queries if re.match("SELECT", query["sql"])]
    assert len(reads) == count, json.dumps(reads, indent=1)


def test_the_orders_of_a_status_in_a_period_are_counted_in_a_range_of_the_index(sit_down, many):
    day = now() - timedelta(days=20)
    found = plans(sit_down("staff"), f"{ORDERS}?placed={day:%Y-%m}&status__exact=delivered")
    counts = [(sql, access) for sql, access, _ in found if "COUNT(*)" in sql and "status" in sql]
    assert [access for _, access in counts] == ["range"], counts
    assert "FORCE INDEX (orders_of_status)" in counts[0][0]


@pytest.mark.parametrize("query", ["placed=MONTH&status__exact=shipped", "placed=DAY&status__exact=delivered&p=1"])
def test_the_count_of_a_status_in_a_period_is_that_of_the_rows(sit_down, many, query):
    day = now() - timedelta(days=20)
    page = sit_down("staff").get(f"{ORDERS}?{query.replace('MONTH', f'{day:%Y-%m}').replace('DAY', f'{day:%Y-%m-%d}')}")
    shown = page.context["cl"]
    assert shown.result_count == shown.queryset.count() > 0
