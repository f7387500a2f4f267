"""Events with odd values: each field of each event, with each of them. A consumer takes the event or calls it malformed.

Any other error would stop a batch, and the event would be tried again in vain.
"""

import copy
from collections.abc import Iterator
from typing import Any

from libs.values.money import Money
from tests.contracts.test_readable_both_ways import CONSUMERS, each_consumer, effects, example, message, outcome

__all__ = ["effects"]  # a fixture

ODD = [
    *(None, True, False, 0, -1, 2**31, 2**63, 2**64 - 1, -(2**63), 1.0, 1.5, -0.0, 1e300),
    *(
        "",
        " ",
        "\0",
        "\u202e",
        "a" * 300,
        "0",
        "-0",
        "+1",
        "01.00",
        "1e3",
        "0e5",
        "1_0",
        " 1.00",
        "\uff11.00",
        "NaN",
        "1.000",
    ),
    *("2026-01-31", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-31T12:00:00", "1700000000"),
    *("A@EXAMPLE.COM", "a@xn--", "a b@example.com", "usd", "0" * 26, "A" * 24),
    *([], {}, [None], [[]], [{}], {"a": 1}),
]

PRICES = [{"productId": "a" * 24, "price": "2.00"}]
OPTIONAL = {"stock-rejected": {"prices": PRICES}, "order-rejected": {"prices": PRICES}}


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all fields, at any depth."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, field in pairs:
        yield (*path, name)
        yield from paths(field, (*path, name))


def replaced(data: dict[str, Any], path: tuple[Any, ...], odd: Any) -> dict[str, Any]:
    changed = copy.deepcopy(data)
    place: Any = changed
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = odd
    return changed


@each_consumer
def test_an_odd_value_in_any_field_is_taken_or_malformed(consumer, effects):
    data = example(consumer.topic) | OPTIONAL.get(consumer.topic, {})
    assert outcome(consumer, message(consumer.topic, data), effects) == ""
    changed = [replaced(data, path, odd) for path in paths(data) for odd in ODD]
    assert any([outcome(consumer, message(consumer.topic, one), effects) for one in changed])


@each_consumer
def test_a_sequence_that_is_no_number_of_64_bits_is_malformed(consumer, effects):
    for odd in ("-1", "+1", " 1", "1_0", "1.0", "1e3", "\uff11", str(2**63), "9" * 4000, ""):
        found = message(consumer.topic, example(consumer.topic), ("ce_sequence", odd.encode()))
        assert "can't be read" in outcome(consumer, found, effects), odd
    assert effects == []


def test_the_price_of_a_rejection_is_an_exact_amount(effects):
    (rejected,) = (consumer for consumer in CONSUMERS if consumer.topic == "stock-rejected")

    def price_of(sent: Any) -> int | str:
        effects.clear()
        data = example("stock-rejected") | {"prices": [{"productId": "a" * 24, "price": sent}]}
        if reason := outcome(rejected, message("stock-rejected", data), effects):
            return reason
        ((_, ([reply],), _),) = effects
        return reply.rejection.prices[0].price

    assert [price_of(sent) for sent in ("12.50", "12.5", 12, 12.5)] == [1250, 1250, 1200, 1250]
    for odd in ("1e3", "0E+1", "-0", "0.000", "\uff11.00", "1_0", "+5", True, "10000000000.00"):
        assert price_of(odd).startswith("data: prices.0.price: "), odd


def test_the_price_of_a_product_is_an_exact_amount(effects):
    created = next(consumer for consumer in CONSUMERS if consumer.topic == "product-created")

    def outcome_of(sent: Any) -> str:
        effects.clear()
        return outcome(created, message("product-created", example("product-created") | {"price": sent}), effects)

    assert outcome_of("9999999999.99") == ""
    ((_, ([product],), _),) = effects
    assert product.price == Money(999_999_999_999, example("product-created")["currency"])
    for odd in ("1e3", "-0", "\uff11.00", "1_0", " 1.00", "10000000000.00", True, None):
        assert outcome_of(odd).startswith("data: price: "), odd
