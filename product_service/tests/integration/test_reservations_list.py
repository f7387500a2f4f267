"""GET /reservations: what holds for the stock of each order, for viewers."""

import pytest

from product_service.events.topics import GROUP
from product_service.store.documents import reservations
from product_service.tests.integration.conftest import HANDLERS, order_event


@pytest.fixture
def find(client, token_of):
    """`find(order, "reserved")`: the order's row in that list."""

    def read(order, state):
        page = client.get("/reservations", query_string={"state": state, "limit": 100}, headers=token_of("viewer"))
        assert page.status_code == 200, page.json
        return [row for row in page.json["results"] if row["orderId"] == order.subject]

    return read


def test_an_order_is_in_the_list_of_its_state(make, place, cancel, find):
    product, other = make(stock=5), make(stock=5)
    order = place((other["id"], 1, "19.90"), (product["id"], 1, "19.90"), (product["id"], 2, "19.90"))
    (row,) = find(order, "reserved")
    pieces = sorted([(product["id"], 3), (other["id"], 1)])
    assert row["items"] == [{"productId": product_id, "quantity": count} for product_id, count in pieces]
    assert set(row) == {"orderId", "state", "items", "createdAt"}
    cancel(order)
    (row,) = find(order, "released")
    assert row["closedAt"] >= row["createdAt"]
    assert (row["state"], find(order, "reserved"), find(order, "rejected")) == ("released", [], [])


def test_a_delivered_order_stays_reserved_and_is_closed(make, place, find):
    order = place((make()["id"], 1, "19.90"))
    delivered = order_event("order-delivered", [])
    HANDLERS[GROUP]["order-delivered"](
        type(delivered)(order.id, "order-delivered", order.subject, 4, "", {"orderId": order.subject})
    )
    (row,) = find(order, "reserved")
    assert row["closedAt"]


def test_the_newest_order_comes_first_and_pages_lead_to_the_end_and_back(client, token_of, make, place):
    product, viewer = make(), token_of("viewer")
    placed = sorted(place((product["id"], 1, "19.90")).subject for _ in range(5))[::-1]
    pages = [client.get("/reservations?limit=2", headers=viewer).json]
    assert pages[0]["previous"] is None
    for _ in range(2):
        pages.append(client.get(pages[-1]["next"], headers=viewer).json)
    assert [row["orderId"] for page in pages for row in page["results"]][:5] == placed
    whole = [client.get("/reservations?limit=100", headers=viewer).json]
    while whole[-1]["next"]:
        whole.append(client.get(whole[-1]["next"], headers=viewer).json)
    ids = [row["orderId"] for page in whole for row in page["results"]]
    assert (ids[:5], ids) == (placed, sorted(set(ids), reverse=True))
    page = pages[-1]
    while page["previous"]:
        page = client.get(page["previous"], headers=viewer).json
    assert [row["orderId"] for row in page["results"]] == placed[:2]


@pytest.mark.parametrize(("who", "status"), [((), 403), (("viewer",), 200), (("staff",), 200)])
def test_it_is_for_viewers(client, token_of, who, status):
    assert client.get("/reservations", headers=token_of(*who)).status_code == status


@pytest.mark.parametrize("query", ["state=RESERVED", "state=", "state=lost", "limit=0", "cursor=x", "sort=oldest"])
def test_what_makes_no_sense_is_refused(client, token_of, query):
    assert client.get(f"/reservations?{query}", headers=token_of("viewer")).status_code == 400


@pytest.mark.parametrize("state", ["RESERVED", "RELEASED"])
def test_the_list_is_read_by_an_index(app, state):
    for query in ({"state": state}, {"state": state, "_id": {"$lt": "01K"}}):
        plan = reservations().find(query).sort("_id", -1).limit(21).explain()["queryPlanner"]["winningPlan"]
        assert "IXSCAN" in str(plan)
        assert "SORT'" not in str(plan)
