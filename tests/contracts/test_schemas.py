"""The bundled schemas mean the same as the files with their references, and each definition accepts and refuses what it should."""

from functools import cache

import orjson
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from contracts import DEFINITIONS, EVENTS, event_schema

TOPICS = sorted(path.name.removesuffix(".v1.json") for path in EVENTS.iterdir())
NAMES = orjson.loads(DEFINITIONS.read_bytes())["$defs"]
ULID, OBJECT_ID = "01K00000000000000000000000", "a" * 24
LINE = {"productId": OBJECT_ID, "name": "Lamp", "quantity": 2, "unitPrice": "9.95", "lineTotal": "19.90", "version": 1}
STOCK_LINE = {"productId": OBJECT_ID, "quantity": 2, "unitPrice": "9.95"}
SHORTAGE = {"productId": OBJECT_ID, "wanted": 2, "available": 0}
ORDER_SHORTAGE = SHORTAGE | {"name": "Lamp"}
PRICE = {"productId": OBJECT_ID, "price": "9.95"}
ORDER = {
    "orderId": ULID,
    "userId": OBJECT_ID,
    "userEmail": "ada@example.com",
    "username": "ada",
    "productId": OBJECT_ID,
    "quantity": 2,
    "total": "19.90",
    "currency": "USD",
    "status": "pending",
    "previousStatus": None,
    "reason": None,
    "timestamp": "2026-01-31T12:00:00.000Z",
    "items": [LINE],
}
PRODUCT = {"id": OBJECT_ID, "sku": None, "name": "Lamp", "price": "9.95", "currency": "USD", "category": None}
PRODUCT |= {"active": True, "version": 1, "stock": 0, "updatedAt": "2026-01-31T12:00:00.000Z"}
ACCOUNT = {"id": OBJECT_ID, "username": "ada", "email": "ada@example.com", "roles": ["staff"], "active": True}
ACCOUNT |= {"createdAt": "2026-01-31T12:00:00.000Z"}
STOCK = {"orderId": ULID, "items": [STOCK_LINE], "reason": None, "shortages": []}
PIECES = [{"productId": OBJECT_ID, "quantity": 1}]
EXAMPLES = {
    "mail-resend-requested": ORDER | {"kind": "order-placed", "status": "shipped", "previousStatus": "confirmed"},
    "mail-sent": {"kind": "order-placed", "orderId": None, "sentAt": "2026-01-31T12:00:00.000Z"},
    "order-placed": ORDER,
    **{
        f"order-{status}": ORDER | {"status": status, "previousStatus": "pending", "reason": "x" * 200}
        for status in ("confirmed", "shipped", "delivered", "cancelled")
    },
    "order-rejected": ORDER
    | {"status": "rejected", "previousStatus": "pending", "reason": "out_of_stock"}
    | {"emailVerified": True, "shortages": [ORDER_SHORTAGE], "prices": [PRICE]},
    **{f"product-{change}": PRODUCT for change in ("created", "updated", "deleted")},
    "stock-reserved": STOCK,
    "stock-rejected": STOCK | {"reason": "out_of_stock", "shortages": [SHORTAGE]},
    "stock-released": {"orderId": ULID, "items": PIECES},
    "stock-release-requested": {"orderId": ULID, "delivered": False},
    "stock-held": {
        "round": ULID,
        "after": None,
        "until": ULID,
        "asOf": "2026-01-31T12:00:00.000Z",
        "reservations": [{"orderId": ULID, "items": PIECES}],
    },
    "user-registered": ACCOUNT,
    "user-updated": ACCOUNT,
    "user-deleted": {"id": OBJECT_ID, "deletedAt": "2026-01-31T12:00:00.000Z"},
    "user-mail-requested": {
        "kind": "reset",
        "userId": OBJECT_ID,
        "email": "ada@example.com",
        "username": "ada",
        "token": "t" * 43,
        "expiresAt": "2026-01-31T12:00:00.000Z",
    },
    "user-notice-requested": {
        "userId": OBJECT_ID,
        "kind": "password-changed",
        "email": "ada@example.com",
        "username": "ada",
        "occurredAt": "2026-01-31T12:00:00.000Z",
    },
    "user-link-requested": {
        "userId": OBJECT_ID,
        "kind": "verify",
        "eventId": ULID,
        "requestedAt": "2026-01-31T12:00:00.000Z",
    },
    "user-resend-requested": {"userId": OBJECT_ID},
    "user-revocations": {"userId": OBJECT_ID, "sid": None, "notBefore": 0},
}
ODD_VALUES = [None, True, -1, 0, 1.5, "", "x", "x" * 300, "pending", "shipped", OBJECT_ID, ULID, [], {}, [{}], [None]]

# Each definition with values that it accepts and values that it refuses.
DEFINED = {
    "orderId": ([ULID], ["01K", ULID.lower(), ULID + "0", 1]),
    "objectId": ([OBJECT_ID], ["A" * 24, "a" * 23, "g" * 24, None]),
    "username": (["ada", "A-._z9"], ["ab", "x" * 31, "a b", None]),
    "email": (["ada@example.com"], ["ada", "a b@example.com", "<ada@example.com>", "x" * 250 + "@x.de", None]),
    "money": (["0.00", "999999999999.99"], ["1", "1.5", "-1.00", "1e3", 1.5]),
    "currency": (["USD"], ["usd", "US", 840]),
    "quantity": ([1, 10**9], [0, 1.5, "1", None]),
    "version": ([1], [0, None]),
    "moment": (["2026-01-31T12:00:00.000Z"], ["2026-01-31T12:00:00+01:00", 0]),
    "reason": ([None, "", "x" * 200], ["x" * 201, 1]),
    "orderStatus": (["pending", "cancelled"], ["lost", None]),
    "stockLines": ([[STOCK_LINE], [STOCK_LINE] * 50], [[], [STOCK_LINE] * 51, [{}]]),
    "pieces": ([[], PIECES * 50], [PIECES * 51, [{}], [PIECES[0] | {"quantity": 0}]]),
    "shortages": ([[], [SHORTAGE] * 50], [[SHORTAGE] * 51, [SHORTAGE | {"wanted": 0}], [SHORTAGE | {"available": -1}]]),
    "account": (
        [ACCOUNT, ACCOUNT | {"roles": [], "emailVerified": True}],
        [ACCOUNT | {"emailVerified": "yes"}, ACCOUNT | {"roles": ["owner"]}, ACCOUNT | {"email": None}, {}],
    ),
    "orderShortages": (
        [[ORDER_SHORTAGE], [ORDER_SHORTAGE] * 50],
        [[], [ORDER_SHORTAGE] * 51, [SHORTAGE], [ORDER_SHORTAGE | {"name": ""}], [ORDER_SHORTAGE | {"wanted": 0}]],
    ),
    "currentPrices": ([[], [PRICE] * 50], [[PRICE] * 51, [PRICE | {"price": 9.95}], [{"productId": OBJECT_ID}]]),
    "product": ([PRODUCT, PRODUCT | {"sku": "L-1"}], [PRODUCT | {"sku": "x" * 65}, PRODUCT | {"stock": -1}, {}]),
    "order": (
        [ORDER, ORDER | {"emailVerified": False}, ORDER | {"userEmail": None, "items": [LINE | {"later": 1}] * 50}],
        [
            ORDER | {"emailVerified": None},
            ORDER | {"items": []},
            ORDER | {"items": [{}]},
            ORDER | {"userEmail": "ada"},
            ORDER | {"status": "lost"},
            {},
        ],
    ),
}


def references() -> Registry:
    """The files, as a validator resolves their references."""
    files = {"definitions.json": DEFINITIONS} | {f"events/{path.name}": path for path in EVENTS.iterdir()}
    read = {name: orjson.loads(path.read_bytes()) for name, path in files.items()}
    for name, schema in read.items():
        schema["$id"] = f"file:///{name}"
    return Registry().with_resources((schema["$id"], Resource.from_contents(schema)) for schema in read.values())


REGISTRY = references()


@cache
def unbundled(reference: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"file:///{reference}"}, registry=REGISTRY)


def variants(data):
    """`data` without each of its fields, and with odd values in each."""
    for name in data:
        yield {other: value for other, value in data.items() if other != name}
        for value in ODD_VALUES:
            yield data | {name: value}
        if isinstance(data[name], list) and data[name] and isinstance(data[name][0], dict):
            yield data | {name: data[name] * 51}
            for changed in variants(data[name][0]):
                yield data | {name: [changed]}


@pytest.mark.parametrize("topic", TOPICS)
def test_every_event_has_an_example_that_its_schema_accepts(topic):
    Draft202012Validator(event_schema(topic)).validate(EXAMPLES[topic])


@pytest.mark.parametrize("topic", TOPICS)
def test_a_bundled_schema_accepts_and_refuses_what_the_file_with_references_does(topic):
    bundled, file = Draft202012Validator(event_schema(topic)), unbundled(f"events/{topic}.v1.json")
    outcomes = [(bundled.is_valid(data), file.is_valid(data)) for data in variants(EXAMPLES[topic])]
    assert {left == right for left, right in outcomes} == {True}
    assert {left for left, _ in outcomes} == {True, False}


@pytest.mark.parametrize("topic", TOPICS)
def test_a_bundled_schema_has_no_reference_and_lists_its_required_fields_among_its_properties(topic):
    schema = event_schema(topic)
    assert b'"$ref"' not in orjson.dumps(schema)
    assert set(schema["required"]) <= set(schema["properties"])
    assert len(schema["required"]) == len(set(schema["required"]))


@pytest.mark.parametrize("name", NAMES)
def test_a_definition_accepts_and_refuses(name):
    accepted, refused = DEFINED[name]
    validator = unbundled(f"definitions.json#/$defs/{name}")
    assert [value for value in accepted if not validator.is_valid(value)] == []
    assert [value for value in refused if validator.is_valid(value)] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_definition_is_used_more_than_once(name):
    files = [DEFINITIONS, *EVENTS.iterdir()]
    assert sum(path.read_text().count(f'/$defs/{name}"') for path in files) > 1


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_with_a_short_retention_closes_its_segments_in_time(topic):
    """Kafka deletes closed segments only. Its default of 7 days would keep the tokens of a quiet shop as long."""
    config = event_schema(topic)["x-topic"]["config"]
    if int(config.get("retention.ms", 7 * 86_400_000)) < 7 * 86_400_000:
        assert int(config["segment.ms"]) <= int(config["retention.ms"]) / 2
