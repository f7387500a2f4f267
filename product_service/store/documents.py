"""The product, the movements of its stock and the orders' reservations, and their invariants.

`stock` is always the sum of the product's movements and never below zero; only use_cases.py (staff) and reservations.py (orders)
change it, by conditional updates. `version` counts the changes of catalogue data, `sequence` the events.
"""

from collections.abc import Mapping
from typing import Any

from mongoengine import (
    BooleanField,
    DateTimeField,
    DictField,
    Document,
    IntField,
    ListField,
    ObjectIdField,
    StringField,
)

from libs.values.times import now
from product_service.domain.reservation import State

MAX_PRICE_MINOR = 9_999_999  # 99,999.99
MAX_STOCK = 10_000_000
NAME_KEY_LENGTH = 60  # a cursor holds the key, and a URL is at most 4 KiB

RawProduct = dict[str, Any]


class Product(Document):  # type: ignore[misc] # MongoEngine has no types
    """Something to buy. A deleted one stays, inactive: orders and movements still name it."""

    name = StringField(required=True, max_length=200)
    name_key = StringField(required=True)
    description = StringField(default="", max_length=5000)
    sku = StringField(max_length=64)
    category = StringField(max_length=100)
    image_url = StringField(max_length=2000)
    price_minor = IntField(required=True, min_value=0, max_value=MAX_PRICE_MINOR)
    price_log = ListField(
        DictField()
    )  # {price_minor, until}: the prices before, as long as an order may still name one
    stock = IntField(required=True, min_value=0, max_value=MAX_STOCK)
    active = BooleanField(required=True, default=True)
    version = IntField(required=True, default=1)
    sequence = IntField(required=True, default=1)
    created_at = DateTimeField(required=True, default=now)
    updated_at = DateTimeField(required=True, default=now)  # of the catalogue data, as `version`

    meta = {
        "collection": "products",
        "auto_create_index": False,  # the `indexes` command does it, never a request
        "indexes": [
            {"fields": ["active", "-created_at", "-id"], "name": "newest"},
            {"fields": ["active", "price_minor", "id"], "name": "price"},
            {"fields": ["active", "name_key", "id"], "name": "name"},
            {"fields": ["active", "stock", "id"], "name": "stock"},  # what is about to run out
            {"fields": ["active", "category", "-created_at", "-id"], "name": "category"},
            # No language: a shop's words are names in any of them, so none is dropped or cut to its stem.
            {"fields": ["active", "$name", "$description"], "name": "words", "default_language": "none"},
            {"fields": ["sku"], "name": "sku", "unique": True, "partialFilterExpression": {"sku": {"$type": "string"}}},
            {"fields": ["price_log.until"], "name": "price_log", "sparse": True},  # for housekeeping
        ],
    }


class StockMovement(Document):  # type: ignore[misc]
    """One change of a product's stock: how much, why, for what (`ref`), by whom (`actor`)."""

    product = ObjectIdField(required=True)
    delta = IntField(required=True)
    reason = StringField(required=True)
    ref = StringField()
    actor = StringField()
    at = DateTimeField(required=True, default=now)

    meta = {
        "collection": "stock_movements",
        "auto_create_index": False,
        "indexes": [{"fields": ["product", "at"], "name": "product"}],
    }


class Reservation(Document):  # type: ignore[misc]
    """The stock's side of one order. The order's id is the key, so each order is decided once."""

    id = StringField(primary_key=True)
    state = StringField(required=True, choices=[state.value for state in State])
    items = ListField(
        DictField()
    )  # {product, quantity, price_minor}: the order's lines; none when it was cancelled first
    answer = DictField(null=True)  # the outbox row that told the outcome, to be sent again when the order asks again
    created_at = DateTimeField(required=True, default=now)
    closed_at = DateTimeField()  # when it became REJECTED or RELEASED

    meta = {
        "collection": "reservations",
        "auto_create_index": False,
        "indexes": [{"fields": ["closed_at"], "name": "closed_at", "sparse": True}],  # for housekeeping
    }


STOCK_RULE = {
    "bsonType": "object",
    "required": ["stock"],
    "properties": {"stock": {"bsonType": ["int", "long"], "minimum": 0, "maximum": MAX_STOCK}},
}


def products() -> Any:
    """The PyMongo collection: for transactions, which MongoEngine 0.29 has not, and for quick reads."""
    return Product._get_collection()


def movements() -> Any:
    """The PyMongo collection of stock movements."""
    return StockMovement._get_collection()


def reservations() -> Any:
    """The PyMongo collection of reservations."""
    return Reservation._get_collection()


def etag_of(product: Mapping[str, Any]) -> str:
    """`version.stock`: what a client saw when it read the product."""
    return f"{product['version']}.{product['stock']}"
