"""The stored fields of products, of what belongs to them, and of reservations, with the indexes and the validation.

`stock` is always the sum of the product's movements and never below zero. Only store/products.py changes it, by conditional
updates that store their movements. `version` counts the changes of catalogue data, `sequence` the product's events.
"""

from typing import Any, cast

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

from libs.mongo_store.connection import Db
from libs.values.idempotency import KEY_RETENTION
from product_service.domain.price_history import PRICE_RETENTION
from product_service.domain.product import MAX_PRICE_MINOR, MAX_STOCK
from product_service.domain.product_change import CHANGE_RETENTION, Action
from product_service.domain.reservation import Status


class Product(Document):  # type: ignore[misc] # MongoEngine has no types
    """A product. A withdrawn one is kept: orders and movements refer to it."""

    name = StringField(required=True, max_length=200)
    name_key = StringField(required=True)
    description = StringField(max_length=5000)
    sku = StringField(max_length=64)
    category = StringField(max_length=100)
    category_key = StringField()  # for comparisons without regard to case
    search_words = ListField(StringField())  # of name, description and SKU (domain/search_words.py)
    words_version = IntField(min_value=1)  # of the rules that made them
    image_url = StringField(max_length=2000)
    price_minor = IntField(required=True, min_value=0, max_value=MAX_PRICE_MINOR)
    currency = StringField(regex=r"^[A-Z]{3}$")  # of the price; older documents get it from the `indexes` command
    stock = IntField(required=True, min_value=0, max_value=MAX_STOCK)
    active = BooleanField(required=True)
    version = IntField(required=True, min_value=1)
    sequence = IntField(required=True, min_value=1)
    created_at = DateTimeField(required=True)
    updated_at = DateTimeField(required=True)  # of the catalogue data, as `version`
    claim = ObjectIdField()  # new with each batch of orders that is decided: its transaction holds the product

    meta = {
        "collection": "products",
        "auto_create_index": False,  # the `indexes` command creates them, never a request
        "indexes": [
            {"fields": ["active", "-created_at", "-id"], "name": "newest"},
            {"fields": ["active", "price_minor", "id"], "name": "price"},
            {"fields": ["active", "name_key", "id"], "name": "name"},
            {"fields": ["active", "stock", "id"], "name": "stock"},  # for lists of low stock
            {"fields": ["active", "category_key", "-created_at", "-id"], "name": "category_key"},
            {"fields": ["active", "category_key", "price_minor", "id"], "name": "category_price"},
            {"fields": ["active", "category_key", "name_key", "id"], "name": "category_name"},
            {"fields": ["active", "search_words", "-created_at", "-id"], "name": "search_words"},
            {"fields": ["currency"], "name": "currency"},  # for the count of other currencies
            {"fields": ["sku"], "name": "sku", "unique": True, "partialFilterExpression": {"sku": {"$type": "string"}}},
        ],
    }


class EarlierPrice(Document):  # type: ignore[misc]
    """A price that a product no longer has. An order that arrives late may name it."""

    id = StringField(primary_key=True)  # product, price and currency: a price that comes back and ends again is one row
    until = DateTimeField(required=True)  # when it ended, for the last time

    meta = {
        "collection": "price_history",
        "auto_create_index": False,
        "indexes": [{"fields": ["until"], "name": "until", "expireAfterSeconds": int(PRICE_RETENTION.total_seconds())}],
    }


class StockMovement(Document):  # type: ignore[misc]
    """One change of a product's stock: its size, its reason, its order (`ref`) and its user (`actor`)."""

    product = ObjectIdField(required=True)
    delta = IntField(required=True)
    reason = StringField(required=True)
    ref = StringField()
    actor = StringField()
    at = DateTimeField(required=True)

    meta = {
        "collection": "stock_movements",
        "auto_create_index": False,
        "indexes": [
            {"fields": ["product", "at"], "name": "product"},
            {"fields": ["at"], "name": "of_no_order", "partialFilterExpression": {"ref": None}},  # for retention
        ],
    }


class ProductChange(Document):  # type: ignore[misc]
    """One change of a product by staff."""

    product = ObjectIdField(required=True)
    at = DateTimeField(required=True)
    actor = StringField(required=True)  # the id of the user
    action = StringField(required=True, choices=[action.value for action in Action])
    changes = DictField()  # {field: [before, after]}, by the names that clients see

    meta = {
        "collection": "product_changes",
        "auto_create_index": False,
        "indexes": [
            {"fields": ["product", "-at", "-id"], "name": "product"},
            {"fields": ["at"], "name": "old", "expireAfterSeconds": int(CHANGE_RETENTION.total_seconds())},
        ],
    }


class IdempotencyKey(Document):  # type: ignore[misc]
    """A request with an Idempotency-Key and the response to it. The key is user, route and Idempotency-Key."""

    id = StringField(primary_key=True)
    body_hash = StringField(required=True)
    created_at = DateTimeField(required=True)
    response = DictField()  # {status, body, headers}

    meta = {
        "collection": "idempotency_keys",
        "auto_create_index": False,
        "indexes": [
            {"fields": ["created_at"], "name": "created_at", "expireAfterSeconds": int(KEY_RETENTION.total_seconds())}
        ],
    }


class Reservation(Document):  # type: ignore[misc]
    """The stock's side of one order. The order's id is the key, so each order is decided once."""

    id = StringField(primary_key=True)
    state = StringField(required=True, choices=[status.value for status in Status])
    items = ListField(DictField())  # {product, quantity, price_minor, currency}: the order's lines
    answer = DictField()  # the outbox row of the last reply, to be sent again when its request comes again
    created_at = DateTimeField(required=True)
    closed_at = DateTimeField()  # when it became REJECTED or RELEASED, or was delivered

    meta = {
        "collection": "reservations",
        "auto_create_index": False,
        "indexes": [
            {"fields": ["closed_at"], "name": "closed_at", "sparse": True},  # for retention
            {"fields": ["state", "-id"], "name": "state"},  # for lists
            {
                "fields": ["state", "id"],
                "name": "in_force",
                "partialFilterExpression": {"state": Status.RESERVED.value, "closed_at": None},
            },
        ],
    }


class HeldRound(Document):  # type: ignore[misc]
    """How far the publication of the reservations in force has come. One document."""

    id = StringField(primary_key=True)
    round = StringField()
    after = StringField()  # the last order id of the present round's last page; null between rounds
    sequence = IntField(required=True)  # of the last event
    due_at = DateTimeField(required=True)
    as_of = DateTimeField()

    meta = {"collection": "held_rounds", "auto_create_index": False}


STOCK_RULE = {
    "bsonType": "object",
    "required": ["stock"],
    "properties": {"stock": {"bsonType": ["int", "long"], "minimum": 0, "maximum": MAX_STOCK}},
}


def db() -> Db:
    """The connected database."""
    return cast(Db, Product._get_db())


def products() -> Any:
    """The PyMongo collection: MongoEngine 0.29 has no transactions, and reads are quicker without its documents."""
    return Product._get_collection()


def earlier_prices() -> Any:
    """The PyMongo collection of earlier prices."""
    return EarlierPrice._get_collection()


def movements() -> Any:
    """The PyMongo collection of stock movements."""
    return StockMovement._get_collection()


def changes() -> Any:
    """The PyMongo collection of the changes by staff."""
    return ProductChange._get_collection()


def idempotency_keys() -> Any:
    """The PyMongo collection of Idempotency-Keys."""
    return IdempotencyKey._get_collection()


def reservations() -> Any:
    """The PyMongo collection of reservations."""
    return Reservation._get_collection()


def held_rounds() -> Any:
    """The PyMongo collection of the rounds of published reservations."""
    return HeldRound._get_collection()
