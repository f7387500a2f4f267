"""What clients get is what the database holds: reads agree with MongoEngine's documents."""

from libs.values.money import Money
from product_service import store
from product_service.api.responses import to_public
from product_service.domain.reservation import Reply, RequestedItem, Shortage
from product_service.store.documents import Product, Reservation, reservations
from product_service.store.product_rows import from_bson


def test_a_product_that_is_shown_is_the_document(app, make):
    shown = make(sku=None, description="Bright", category="Lighting")
    document = Product.objects.get(id=shown["id"])
    document.validate()
    assert to_public(from_bson(document.to_mongo(), "USD")) == shown


def test_a_reservation_is_read_as_it_was_decided(make, place):
    product = make(stock=2)
    reserved, rejected = place((product["id"], 2, "19.90")), place((product["id"], 1, "19.90"))
    shortage = Shortage(product_id=product["id"], requested=1, available=0)
    for order, quantity, reply in (
        (reserved, 2, Reply()),
        (rejected, 1, Reply(reason="out_of_stock", shortages=(shortage,))),
    ):
        Reservation.objects.get(id=order.subject).validate()
        document = reservations().find_one({"_id": order.subject})
        reservation = store.reservations.from_bson(document, "USD")
        item = RequestedItem(product_id=product["id"], quantity=quantity, unit_price=Money(1990, "USD"))
        assert (reservation.items, reservation.reply) == ((item,), reply)
        written = {name: value for name, value in store.reservations.to_bson(reservation).items() if value}
        assert written == {name: value for name, value in document.items() if name != "answer"}


def test_the_api_document_lists_every_route_with_its_responses(client):
    spec = client.get("/openapi.json").json
    statuses = {
        (path, method): set(operation["responses"])
        for path, operations in spec["paths"].items()
        for method, operation in operations.items()
        if isinstance(operation, dict)
    }
    common = {"400", "503"}
    write = common | {"400", "401", "403", "413", "415"}
    one = "/products/{product_id}"
    assert statuses == {
        ("/products", "get"): common | {"200", "304", "400", "401", "403"},
        ("/products", "post"): write | {"201", "409", "422"},
        ("/products/offers", "get"): common | {"200", "400"},
        ("/reservations", "get"): common | {"200", "401", "403"},
        (one, "get"): common | {"200", "304", "401", "404"},
        (one, "put"): write | {"200", "404", "409", "412"},
        (one, "patch"): write | {"200", "404", "409", "412"},
        (one, "delete"): common | {"204", "401", "403", "404", "412"},
        (one + "/stock", "post"): write | {"200", "404", "409", "422"},
        (one + "/changes", "get"): common | {"200", "400", "401", "403", "404"},
    }
    assert spec["paths"]["/products"]["get"]["summary"].startswith("List the products")
