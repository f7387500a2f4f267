"""What clients get is what the database holds: reads agree with MongoEngine's documents."""

from product_service.api.responses import to_public
from product_service.store.documents import Product
from product_service.store.products import from_document


def test_a_product_that_is_shown_is_the_document(app, make):
    shown = make(sku=None, description="Bright", category="Lighting")
    document = Product.objects.get(id=shown["id"])
    document.validate()
    assert to_public(from_document(document.to_mongo(), "USD")) == shown


def test_the_api_document_lists_every_route_with_its_responses(client):
    spec = client.get("/openapi.json").json
    statuses = {
        (path, method): set(operation["responses"])
        for path, operations in spec["paths"].items()
        for method, operation in operations.items()
        if isinstance(operation, dict)
    }
    common = {"503"}
    write = common | {"400", "401", "403", "413", "415"}
    one = "/products/{product_id}"
    assert statuses == {
        ("/products", "get"): common | {"200", "400", "401", "403"},
        ("/products", "post"): write | {"201", "409"},
        (one, "get"): common | {"200", "304", "401", "404"},
        (one, "put"): write | {"200", "404", "409", "412"},
        (one, "patch"): write | {"200", "404", "409", "412"},
        (one, "delete"): common | {"204", "401", "403", "404", "412"},
        (one + "/stock", "post"): write | {"200", "404", "409"},
    }
    assert spec["paths"]["/products"]["get"]["summary"].startswith("List the products")
