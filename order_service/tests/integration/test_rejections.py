"""Why an order was rejected: line by line, in every response, on its page and in its event."""

import orjson
import pytest

from libs.messaging.failures import PermanentFailure
from order_service.store.models import Outbox
from order_service.tests.integration.test_catalogue import FIRST, follow
from order_service.tests.integration.test_erasing import GRACE
from order_service.tests.integration.test_stock import hear
from order_service.use_cases.mails.resend_mail import resend_mail

pytestmark = pytest.mark.django_db


@pytest.fixture
def two(customer, sell):
    """An order of two products: its id, and theirs."""
    products = [sell("19.90", name="Lamp"), sell("5.00", name="Oil & <wick>")]
    items = [{"productId": product, "quantity": quantity} for product, quantity in zip(products, (417, 1), strict=True)]
    return customer.send("/orders", {"items": items}).json()["orderId"], *products


def short(product, wanted=417, available=283):
    return {"productId": product, "wanted": wanted, "available": available}


def rejected_event(order, topic="order-rejected"):
    return orjson.loads(Outbox.objects.get(aggregate_id=order, topic=topic).payload)


def test_shortages_are_shown_with_the_names_of_the_products(customer, staff, two):
    order, lamp, oil = two
    assert "shortages" not in customer.get(f"/orders/{order}").json()
    hear("stock-rejected", order, reason="out_of_stock", shortages=[short(lamp), short(oil, 1, 0)])
    expected = [short(lamp) | {"name": "Lamp"}, short(oil, 1, 0) | {"name": "Oil & <wick>"}]
    for shown in (
        customer.get(f"/orders/{order}").json(),
        customer.get("/orders").json()["results"][0],
        staff.get(f"/orders/{order}").json(),
        rejected_event(order),
    ):
        assert (shown["reason"], shown["shortages"]) == ("out_of_stock", expected)
        assert "prices" not in shown


def test_a_line_that_is_no_longer_sold_is_named_with_that_reason(customer, staff, desk, two):
    order, lamp, oil = two
    gone = short(lamp, 417, 0) | {"reason": "withdrawn"}
    hear("stock-rejected", order, reason="withdrawn", shortages=[gone, short(oil, 1, 0)])
    expected = [gone | {"name": "Lamp"}, short(oil, 1, 0) | {"name": "Oil & <wick>"}]
    for shown in (customer.get(f"/orders/{order}").json(), staff.get(f"/orders/{order}").json(), rejected_event(order)):
        assert (shown["reason"], shown["shortages"]) == ("withdrawn", expected)
    page = desk.get(f"/orders/{order}").content.decode()
    assert "Lamp: no longer sold" in page
    assert "Oil &amp; &lt;wick&gt;: 0 of 1" in page


def test_prices_are_shown_as_they_were(customer, two):
    order, lamp, _ = two
    hear("stock-rejected", order, reason="price_changed", prices=[{"productId": lamp, "price": "20.50"}])
    for shown in (customer.get(f"/orders/{order}").json(), rejected_event(order)):
        assert (shown["reason"], shown["prices"]) == ("price_changed", [{"productId": lamp, "price": "20.50"}])
        assert "shortages" not in shown


def test_a_page_shows_them(desk, two):
    order, lamp, oil = two
    hear("stock-rejected", order, reason="out_of_stock", shortages=[short(lamp), short(oil, 1, 0)])
    page = desk.get(f"/orders/{order}").content.decode()
    assert "Lamp: 283 of 417" in page
    assert "Oil &amp; &lt;wick&gt;: 0 of 1" in page


def test_a_page_shows_prices(desk, two):
    order, lamp, _ = two
    hear("stock-rejected", order, reason="price_changed", prices=[{"productId": lamp, "price": "20.50"}])
    assert "20.50 USD" in desk.get(f"/orders/{order}").content.decode()


def test_a_reply_of_an_older_version_has_no_prices(customer, two):
    hear("stock-rejected", two[0], reason="price_changed")
    shown = customer.get(f"/orders/{two[0]}").json()
    assert (shown["reason"], {"prices", "shortages"} & set(shown)) == ("price_changed", set())


def test_products_that_the_order_does_not_have_are_left_out(customer, two):
    order, lamp, _ = two
    hear("stock-rejected", order, reason="out_of_stock", shortages=[short("0" * 24), short(lamp)])
    assert [row["productId"] for row in customer.get(f"/orders/{order}").json()["shortages"]] == [lamp]


def test_the_mail_of_a_rejection_that_is_sent_again_says_the_same(two):
    order, lamp, _ = two
    hear("stock-rejected", order, reason="out_of_stock", shortages=[short(lamp)])
    resend_mail(caller=GRACE, order_id=order, kind="order-rejected")
    assert rejected_event(order, "mail-resend-requested")["shortages"] == rejected_event(order)["shortages"]


def test_the_mail_of_the_placed_order_that_is_sent_again_says_nothing_of_it(two):
    order, lamp, _ = two
    hear("stock-rejected", order, reason="out_of_stock", shortages=[short(lamp)])
    resend_mail(caller=GRACE, order_id=order, kind="order-placed")
    assert "shortages" not in rejected_event(order, "mail-resend-requested")


@pytest.mark.parametrize(
    "fields",
    [
        {"shortages": [{"productId": "x", "wanted": 0, "available": 0}]},
        {"shortages": [{"productId": "x", "wanted": 1, "available": -1}]},
        {"shortages": [{"productId": "x", "wanted": 1}]},
        {"shortages": None},
        {"shortages": [short("x")] * 51},
        {"prices": [{"productId": "x", "price": "1.999"}]},
        {"prices": [{"productId": "x", "price": "-1.00"}]},
        {"prices": "1.00"},
    ],
)
def test_a_malformed_list_changes_nothing(customer, two, fields):
    with pytest.raises(PermanentFailure):
        hear("stock-rejected", two[0], **{"reason": "out_of_stock"} | fields)
    assert customer.get(f"/orders/{two[0]}").json()["status"] == "pending"


def test_an_order_keeps_its_currency_when_its_product_gets_another(customer, two):
    order, lamp, oil = two
    follow(FIRST | {"id": lamp, "currency": "EUR", "version": 9}, subject=lamp)
    hear("stock-rejected", order, reason="price_changed", prices=[{"productId": lamp, "price": "20.50"}])
    assert customer.get(f"/orders/{order}").json()["currency"] == "USD"
    assert rejected_event(order)["currency"] == "USD"
    items = [{"productId": product, "quantity": 1} for product in (lamp, oil)]
    assert customer.send("/orders", {"items": items}).json()["code"] == "mixed-currencies"
    assert customer.send("/orders", {"items": items[:1]}).json()["order"]["currency"] == "EUR"
