"""How the database finds the orders of a list: by an index, in the order that is asked for."""

from datetime import timedelta

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from libs.access.caller import Caller
from libs.values.times import now
from order_service.api.filters import OrderFilters, StaffOrderFilters, form_of
from order_service.domain.order_id import new_id
from order_service.domain.order_status import Status
from order_service.queries import order_json, orders
from order_service.store.models import Order, OrderLine
from order_service.tests.integration.explain import explain

pytestmark = pytest.mark.django_db

ROWS = 4000
STAFF = Caller("s" * 24, "staff@example.com", "staff", ("staff",))
CUSTOMER = Caller("customer-7", "c7@example.com", "c7")


@pytest.fixture(scope="module")
def many(django_db_setup, django_db_blocker):
    """Orders of 100 customers, one a minute, committed: ANALYZE would commit them anyway."""
    began, orders, lines = now() - timedelta(minutes=ROWS), [], []
    for n in range(ROWS):
        at, who = began + timedelta(minutes=n), n % 100
        columns = {"user_id": f"customer-{who}", "user_email": f"c{who}@example.com", "username": f"c{who}"}
        columns |= {"status": Status.PENDING if n % 50 == 0 else Status.DELIVERED, "currency": "USD", "total": 1}
        orders.append(Order(id=new_id(at), sequence=1, created_at=at, updated_at=at, **columns))
        line = {"product_id": "p", "name": "P", "quantity": 1, "unit_price": 1, "line_total": 1, "product_version": 1}
        lines.append(OrderLine(order_id=orders[-1].id, position=1, **line))
    with django_db_blocker.unblock():
        for rows in (orders, lines):
            type(rows[0]).objects.bulk_create(rows, batch_size=1000)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE TABLE orders")
            cursor.fetchall()
        yield began
        for model in (OrderLine, Order):
            model.objects.all()._raw_delete("default")


def form(caller, query):
    kind = StaffOrderFilters if caller is STAFF else OrderFilters
    made = form_of(kind)(QueryDict(query).dict())
    made.require_valid()
    return made


def plan_as_json(caller, query):
    """The row of EXPLAIN for the first query of the list that becomes JSON."""
    made = form(caller, query)
    with CaptureQueriesContext(connection) as asked:
        assert order_json.list_orders(made.as_filter(caller), made.page).results
    [row] = explain(asked.captured_queries[0]["sql"])
    return row


def plan(caller, query):
    """The row of EXPLAIN for the list's first query."""
    made = form(caller, query)
    with CaptureQueriesContext(connection) as asked:
        orders.list_orders(made.narrow(orders.orders_of(caller)), made.page)
    [row] = explain(asked.captured_queries[0]["sql"])
    return row


@pytest.mark.parametrize("sort", ["newest", "oldest"])
@pytest.mark.parametrize(
    ("caller", "query", "index"),
    [
        (STAFF, "", "PRIMARY"),
        (STAFF, "createdAfter={after}", "PRIMARY"),
        (STAFF, "createdBefore={after}", "PRIMARY"),
        (STAFF, "status=pending", "orders_of_status"),
        (STAFF, "status=pending&createdAfter={after}", "orders_of_status"),
        (STAFF, "userId=customer-7", "orders_of_user"),
        (CUSTOMER, "", "orders_of_user"),
        (CUSTOMER, "createdAfter={after}", "orders_of_user"),
    ],
)
def test_a_list_is_read_from_an_index_in_its_order(many, caller, query, index, sort):
    after = (many + timedelta(minutes=ROWS // 2)).isoformat(timespec="seconds").replace("+00:00", "Z")
    found = plan(caller, "&".join(filter(None, [query.format(after=after), f"sort={sort}"])))
    assert found["key"] == index, found
    assert found["type"] in ("ref", "range", "index"), found
    assert "filesort" not in (found["Extra"] or ""), found
    found = plan_as_json(caller, "&".join(filter(None, [query.format(after=after), f"sort={sort}"])))
    assert found["key"] == index, found
    assert not {"filesort", "temporary"} & set((found["Extra"] or "").replace(";", " ").split()), found


def test_the_lines_of_older_orders_are_found_by_an_index(many):
    with CaptureQueriesContext(connection) as asked:
        order_json.list_orders(form(STAFF, "").as_filter(STAFF), form(STAFF, "").page)
    _, lines = asked.captured_queries
    [found] = explain(lines["sql"])
    assert found["key"] == "line_of_order", found


@pytest.mark.parametrize("sort", ["newest", "oldest"])
def test_a_search_reads_the_indexes_of_all_its_columns(many, sort):
    found = plan(STAFF, f"search=c42&sort={sort}")
    assert found["type"] == "index_merge", found
    assert int(str(found["rows"]).split()[0]) < ROWS / 10, found  # MariaDB adds a share such as (0%)


@pytest.mark.parametrize("sort", ["newest", "oldest"])
@pytest.mark.parametrize("caller", [STAFF, CUSTOMER])
def test_the_few_orders_that_changed_lately_are_found_by_an_index(many, caller, sort):
    after = (many + timedelta(minutes=ROWS - 5)).isoformat(timespec="seconds").replace("+00:00", "Z")
    found = plan(caller, f"updatedAfter={after}&sort={sort}")
    assert int(str(found["rows"]).split()[0]) < ROWS / 10, found  # MariaDB adds a share such as (0%)
