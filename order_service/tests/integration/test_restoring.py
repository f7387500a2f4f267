"""What order_service does after a database was restored from an older copy."""

from datetime import timedelta

import orjson
import pytest
from django.db.models import F

from libs.values.times import now
from order_service.__main__ import main
from order_service.commands.retire_products import retire
from order_service.domain.pricing import FLOOR_EPOCH
from order_service.store.models import CatalogueProduct, Order, Outbox
from order_service.tests.integration.test_release_requests import cancelled
from order_service.tests.integration.test_reservation_requests import relay

pytestmark = pytest.mark.django_db


def rows():
    found = Outbox.objects.filter(topic="stock-release-requested").order_by("aggregate_id")
    return [(row.event_id, row.aggregate_id, row.sequence, orjson.loads(row.payload)) for row in found]


def test_each_cancelled_order_is_asked_about_with_the_same_event_id_each_time(customer, place, place_confirmed, capsys):
    orders = sorted(cancelled(customer, place) for _ in range(3))
    place(customer)
    place_confirmed(customer)
    relay()
    assert main(["republish-cancelled"]) == 0
    assert "3 cancellations" in capsys.readouterr().out
    first = rows()
    assert [(order, data) for _, order, _, data in first] == [
        (order, {"orderId": order, "delivered": False}) for order in orders
    ]
    assert {sequence for _, _, sequence, _ in first} == {3}
    assert main(["republish-cancelled"]) == 0
    assert rows() == first  # they wait in the outbox
    relay()
    main(["republish-cancelled"])
    assert [row[0] for row in rows()] == [row[0] for row in first]
    assert {row[2] for row in rows()} == {4}


def test_it_goes_batch_by_batch_and_from_a_time_on(customer, place, monkeypatch):
    monkeypatch.setattr("order_service.use_cases.stock.republish_cancelled.BATCH_SIZE", 2)
    orders = sorted(cancelled(customer, place) for _ in range(5))
    Order.objects.filter(pk=orders[0]).update(updated_at=F("updated_at") - timedelta(days=2))
    relay()
    since = (now() - timedelta(days=1)).isoformat()
    assert main(["republish-cancelled", "--since", since]) == 0
    assert [order for _, order, _, _ in rows()] == orders[1:]
    main(["republish-cancelled"])
    assert [order for _, order, _, _ in rows()] == orders


def test_a_time_that_is_none_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["republish-cancelled", "--since", "yesterday"])
    assert "2026-01-31T12:00:00Z" in capsys.readouterr().err


@pytest.fixture
def read_to_the_end(monkeypatch):
    """`read_to_the_end(False)`: whether the worker has read all products."""
    return lambda answer: monkeypatch.setattr(
        "order_service.commands.retire_products.has_handled_all", lambda *_: answer
    )


def test_products_that_the_copy_lacks_go_off_sale(sell, read_to_the_end, capsys):
    read_to_the_end(True)
    minutes = int((now() - FLOOR_EPOCH).total_seconds() // 60)
    floor = 100 * minutes
    restored, missing, new = sell(version=floor), sell(version=9), sell(version=1)
    CatalogueProduct.objects.exclude(pk=new).update(updated_at=now() - timedelta(hours=1))
    CatalogueProduct.objects.filter(pk=new).update(updated_at=now() + timedelta(seconds=1))
    assert retire("kafka:9092", ["--below", str(floor)]) == 0
    assert capsys.readouterr().out == "1 products are off sale\n"
    on_sale = set(CatalogueProduct.objects.filter(active=True).values_list("pk", flat=True))
    assert {restored, new} <= on_sale
    assert missing not in on_sale


def test_no_product_goes_off_sale_before_all_are_read(sell, read_to_the_end, capsys):
    read_to_the_end(False)
    sell(version=9)
    assert retire("kafka:9092", ["--below", "100"]) == 1
    assert "run the command again" in capsys.readouterr().err
    assert not CatalogueProduct.objects.filter(active=False).exists()
