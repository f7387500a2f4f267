"""How many products MongoDB examines for a page of a list: a bounded number, whatever is chosen, and no product is missing."""

import itertools
import time
from datetime import UTC, datetime, timedelta

import pytest
from bson import ObjectId

from deploy.seeding import stock_documents, story
from deploy.seeding.story import Size
from libs.values.pages import DEFAULT_LIMIT, PageRequest, page_request
from libs.values.times import now
from product_service.domain.search_words import category_key, searched_words
from product_service.queries import products as queries
from product_service.queries.products import SORTS, list_products
from product_service.store import documents, old_stock, reservations
from tests.examined import examined

COUNT = 12_000
BOUND = PageRequest("newest").bound


@pytest.fixture(scope="module")
def many(app):
    """A catalogue in a database of its own, with the indexes of the service."""
    db = documents.db().client[f"{documents.db().name}_examined"]
    size = Size(products=COUNT, orders=10, end=time.time())
    stock_documents.write_products(db, size, stock_documents.Taken(COUNT), lambda rows: None)
    for name, found in documents.products().index_information().items():
        if name != "_id_":
            options = {key: found[key] for key in ("unique", "partialFilterExpression") if key in found}
            db["products"].create_index([(field, int(way)) for field, way in found["key"]], name=name, **options)
    db.command("profile", 2)
    yield db
    db.command("profile", 0)
    db.client.drop_database(db.name)


@pytest.fixture
def catalogue(many, monkeypatch):
    """All products; the lists read them."""
    monkeypatch.setattr(documents, "products", lambda: many["products"])
    return list(many["products"].find())


def matches(row, *, active=True, search=None, category=None, **bounds):
    """Whether a product belongs to a list."""
    return (
        row["active"] == active
        and all(forms & set(row["search_words"]) for forms in (searched_words(search) if search else ()))
        and (category is None or row["category_key"] == category_key(category))
        and bounds.get("min_price", 0) <= row["price_minor"] <= bounds.get("max_price", 10**9)
        and row["stock"] <= bounds.get("max_stock", 10**9)
        and bounds.get("in_stock") in (None, row["stock"] > 0)
    )


FILTERS = [
    {},
    {"active": False},
    {"search": "lamp"},
    {"search": "s0007"},
    {"search": "000123"},
    {"search": "unicorn"},
    {"search": "oak lamps"},
    {"search": "lamp s0007"},
    {"search": "lamp chair"},
    {"search": "made by hand"},
    {"category": "LAMPS"},
    {"category": story.RARE_CATEGORY},
    {"search": "oak", "category": "Lamps"},
    {"min_price": 10_000, "max_price": 10_050},
    {"min_price": 10_000},
    {"max_stock": 5},
    {"in_stock": False},
    {"in_stock": True},
    {"search": "small", "max_stock": 5},
    {"category": "Chairs", "min_price": 5_000, "max_price": 20_000, "in_stock": True},
]


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("filters", FILTERS, ids=str)
def test_each_page_examines_a_bounded_number_of_products_and_no_product_is_missing(many, catalogue, filters, sort):
    order = SORTS[sort]
    expected = [row for row in catalogue if matches(row, **filters)]
    expected.sort(key=lambda row: (row[order.field], row["_id"]), reverse=order.direction < 0)
    found, cursor = [], None
    for number in itertools.count(1):
        request = page_request(sort=sort, key_types=[order.kind, str], limit=None, cursor=cursor)
        page, keys, read = examined(many, "products", lambda request=request: list_products(request, **filters))
        assert keys <= (4 + 2 * len(filters)) * (BOUND + 10), (number, keys)
        assert read <= 3 * (BOUND + 10), (number, read)
        found += [row.id for row in page.results]
        cursor = page.next
        if cursor is None or number == 30:
            break
    assert found == [row["_id"] for row in expected][: len(found)]
    assert cursor or len(found) == len(expected)
    assert number < 30 or len(found) >= min(len(expected), DEFAULT_LIMIT)


@pytest.mark.parametrize(
    ("sort", "filters", "index"),
    [
        ("newest", {}, "newest"),
        ("newest", {"search": "lamp"}, "search_words"),
        ("newest", {"category": "Lamps"}, "category_key"),
        ("price", {"category": "Lamps"}, "category_price"),
        ("-price", {"category": "Lamps"}, "category_price"),
        ("name", {"category": "Lamps"}, "category_name"),
        ("price", {"min_price": 100}, "price"),
        ("-price", {"min_price": 100}, "price"),
        ("stock", {"max_stock": 5}, "stock"),
        ("name", {}, "name"),
    ],
)
def test_one_filter_in_its_own_order_is_one_query_of_one_index(many, catalogue, sort, filters, index):
    request = PageRequest(sort)
    page, keys, read = examined(many, "products", lambda: list_products(request, **filters))
    assert len(page.results) == request.limit
    assert keys <= request.limit + 5
    assert read == request.limit + 1
    sorted_so = {"command.hint": index, f"command.sort.{SORTS[sort].field}": {"$exists": True}}
    rows = list(many["system.profile"].find(sorted_so))
    assert rows
    assert not any(row.get("hasSortStage") for row in rows)


@pytest.mark.parametrize("search", ["brass s0007", "s0007 brass"])
def test_of_two_words_the_rare_one_finds_the_products(many, catalogue, search):
    page, _, read = examined(many, "products", lambda: list_products(PageRequest("newest"), search=search))
    expected = [row["_id"] for row in catalogue if matches(row, search=search)]
    assert {row.id for row in page.results} == set(expected)
    assert expected
    assert read <= 10


def test_short_pages_lead_back(many, catalogue):
    filters = {"search": "oak brass"}
    request = PageRequest("price", 5)
    pages, page = [], list_products(request, **filters)
    while page.next:
        pages.append(page)
        cursor = page_request(sort="price", key_types=[int, str], limit="5", cursor=page.next)
        page = list_products(cursor, **filters)
    assert len(pages) > 3
    back = page_request(sort="price", key_types=[int, str], limit="5", cursor=pages[-1].previous)
    assert list_products(back, **filters).next


def test_reservations_in_force_are_read_by_their_own_index(app):
    found = documents.reservations().find(reservations.IN_FORCE).sort("_id", 1).hint("in_force").limit(501)
    plan = found.explain()["executionStats"]
    assert plan["totalDocsExamined"] == plan["nReturned"] <= 501
    assert "SORT" not in str(plan["executionStages"]["stage"])


def test_old_movements_of_staff_are_read_by_their_own_index(app):
    at, product = datetime(2020, 1, 1, tzinfo=UTC), ObjectId()
    carried = {"product": product, "delta": 1, "reason": old_stock.CARRIED, "at": old_stock.CARRIED_AT}
    of_order = {"product": product, "delta": 1, "reason": "reserved", "ref": "01", "at": at}
    documents.movements().insert_many([dict(row) for row in [carried, of_order] * 50])
    old = {"ref": None, "at": {"$gt": old_stock.CARRIED_AT, "$lt": now() - timedelta(days=400)}}
    plan = documents.movements().find(old).sort("at", 1).hint("of_no_order").limit(101).explain()
    stats = plan["executionStats"]
    assert stats["totalDocsExamined"] == stats["nReturned"]
    assert stats["totalKeysExamined"] <= stats["nReturned"] + 1
    assert "'SORT'" not in str(plan["queryPlanner"]["winningPlan"])
    documents.movements().delete_many({"product": product})


def test_the_limits_of_a_list_are_named():
    assert queries.PageRequest("newest", 100).bound == 2500
    assert PageRequest("newest", 1).bound == BOUND == 500
