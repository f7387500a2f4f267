"""Events of a later version: each consumer reads them, or keeps them until it knows their values. docs/events.md lists the rules.

Each event of each consumer comes with an unknown value in each enumerated field, with an unknown field, with a foreign header, and
without a value. The use cases are recorded, not run.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest
from confluent_kafka import Message
from ulid import ULID

import order_service.worker.handlers as order_handlers
import product_service.worker.handlers as product_handlers
import user_service.worker.handlers as user_handlers
from contracts import event_schema
from libs.messaging.envelope import MalformedEvent, parse
from libs.messaging.failures import PermanentFailure
from notification_service.worker.handlers import HANDLERS as MAIL_HANDLERS
from order_service.use_cases.orders.apply_stock_replies import Applied
from tests.contracts.test_schemas import EXAMPLES

DOCUMENT = Path(__file__).parents[2] / "docs" / "events.md"
KEYS = ("orderId", "id", "userId")

RULES: dict[tuple[str, str], str] = {
    ("stock-rejected", "reason"): "general",
    ("user-notice-requested", "kind"): "general",
    ("user-mail-requested", "kind"): "dead-lettered",
    ("user-link-requested", "kind"): "kept",
    ("mail-resend-requested", "kind"): "kept",
    ("mail-sent", "outcome"): "as it is",
}
"""The rule for an unknown value of each enumerated field that a consumer needs. Other enumerated fields are not read."""


class Consumer(NamedTuple):
    service: str
    topic: str
    handle: Callable[..., None]


@pytest.fixture
def effects(monkeypatch) -> list[tuple[str, Any, dict[str, Any]]]:
    """What the handlers called: the use case's name and arguments."""
    found: list[tuple[str, Any, dict[str, Any]]] = []

    def record(name: str) -> Callable[..., Applied]:
        def called(*args: Any, **named: Any) -> Applied:
            found.append((name, args, named))
            return Applied(frozenset(), frozenset())

        return called

    class Recorded:
        def __init__(self, *_: object) -> None:
            self.add_all = record("add_all")

    for module, names in (
        (order_handlers, ("upsert_products", "apply_stock_replies", "erase_customer", "apply_account_changes")),
        (order_handlers, ("record_sent_mails", "compare_held_stock")),
        (product_handlers, ("decide_orders",)),
        (user_handlers, ("reissue_link", "resend_account")),
    ):
        for name in names:
            monkeypatch.setattr(module, name, record(name))
    monkeypatch.setattr(order_handlers, "renew_connection", lambda: None)
    monkeypatch.setattr(product_handlers, "MongoRevocations", Recorded)
    monkeypatch.setattr(product_handlers, "db", lambda: None)
    return found


def consumers() -> Iterator[Consumer]:
    for service, groups in (
        ("order_service", order_handlers.HANDLERS),
        ("product_service", product_handlers.make_handlers("USD")),
        ("user_service", user_handlers.make_handlers(None)),  # type: ignore[arg-type]
    ):
        for handlers in groups.values():
            for topic, handle in handlers.items():
                yield Consumer(service, topic, handle)
    for topic, handle_mail in MAIL_HANDLERS.items():
        yield Consumer("notification_service", topic, handle_mail)


CONSUMERS = list(consumers())
each_consumer = pytest.mark.parametrize("consumer", CONSUMERS, ids=lambda c: f"{c.service}-{c.topic}")


def message(topic: str, data: Mapping[str, Any] | None, *headers: tuple[str, bytes]) -> Message:
    example = EXAMPLES[topic]
    own = {"mail-sent": str(ULID()), "stock-held": "stock-held"}
    key = own.get(topic) or next(example[name] for name in KEYS if name in example)
    envelope = {"ce_specversion": "1.0", "ce_id": str(ULID()), "ce_type": topic, "ce_sequence": "1"}
    envelope |= {"ce_time": "2026-01-31T12:00:00.000Z", "content-type": "application/json"}
    return Message(
        topic=topic,
        partition=0,
        offset=7,
        key=key.encode(),
        value=None if data is None else orjson.dumps(data),
        headers=[*((name, text.encode()) for name, text in envelope.items()), *headers],
    )


def outcome(consumer: Consumer, found: Message, effects: list[Any]) -> str:
    """As the consumer's threads handle a message: "" when it was handled, else the reason of its dead letter."""
    more: dict[str, Any] = {}
    if consumer.service == "notification_service":
        more["send_mail"] = lambda event, **mail: effects.append(("send_mail", (event,), mail))
    try:
        consumer.handle(parse(found), **more)
    except (MalformedEvent, PermanentFailure) as error:
        return str(error)
    return ""


def example(topic: str) -> dict[str, Any]:
    needed = {"orderId": str(ULID())} if topic == "mail-sent" else {}
    return EXAMPLES[topic] | needed


def enumerated(schema: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """The paths of all enumerated fields of a schema, such as `reason` and `items.kind`."""
    if "enum" in schema or "const" in schema:
        yield path
    for name, field in schema.get("properties", {}).items():
        yield from enumerated(field, f"{path}.{name}" if path else name)
    for part in [*schema.get("anyOf", ()), *([schema["items"]] if isinstance(schema.get("items"), dict) else ())]:
        yield from enumerated(part, path)


FIELDS = sorted({(c.topic, path) for c in CONSUMERS for path in enumerated(event_schema(c.topic))})


def changed(data: Mapping[str, Any], path: str, value: object) -> dict[str, Any]:
    name, _, rest = path.partition(".")
    if rest:
        return dict(data) | {name: [changed(row, rest, value) for row in data[name]]}
    return dict(data) | {name: [value] if isinstance(data.get(name), list) else value}


def test_every_enumerated_field_that_is_needed_has_a_rule_and_no_other():
    assert set(RULES) <= set(FIELDS)


@each_consumer
def test_each_event_of_today_is_handled(consumer, effects):
    assert outcome(consumer, message(consumer.topic, example(consumer.topic)), effects) == ""
    assert len(effects) == 1


@pytest.mark.parametrize(("topic", "path"), FIELDS)
def test_an_unknown_value_of_an_enumerated_field_follows_its_rule(effects, topic, path):
    for consumer in (consumer for consumer in CONSUMERS if consumer.topic == topic):
        effects.clear()
        found = outcome(consumer, message(topic, changed(example(topic), path, "of-a-later-version")), effects)
        if RULES.get((topic, path)) in ("kept", "dead-lettered"):
            assert (found, effects) == (f"unknown value: {path}", [])
        else:
            assert (found, len(effects)) == ("", 1)


def test_an_unknown_reason_of_a_rejection_becomes_the_general_one(effects):
    (rejected,) = (consumer for consumer in CONSUMERS if consumer.topic == "stock-rejected")
    short = EXAMPLES["stock-rejected"]["shortages"][0] | {"reason": "in-quarantine"}
    data = example("stock-rejected") | {"reason": "in-quarantine", "shortages": [short]}
    assert outcome(rejected, message("stock-rejected", data), effects) == ""
    ((_, ([reply],), _),) = effects
    rejection = reply.rejection
    assert (rejection.reason, [row.withdrawn for row in rejection.shortages]) == ("other", [False])


def test_an_unknown_notice_is_sent_in_general_words(effects):
    (notice,) = (consumer for consumer in CONSUMERS if consumer.topic == "user-notice-requested")
    data = example("user-notice-requested") | {"kind": "passkey-added"}
    assert outcome(notice, message("user-notice-requested", data), effects) == ""
    ((_, _, mail),) = effects
    assert mail["kind"] == "account-changed"


@each_consumer
def test_an_unknown_field_is_ignored_at_any_depth(consumer, effects):
    def with_more(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: with_more(field) for name, field in value.items()} | {"later": {"field": [1]}}
        return [with_more(row) for row in value] if isinstance(value, list) else value

    data = with_more(example(consumer.topic))
    assert outcome(consumer, message(consumer.topic, data), effects) == ""
    assert len(effects) == 1


@each_consumer
@pytest.mark.parametrize(
    "header",
    [("x-bin", b"\xff\xfe"), ("ce_subject", b"\xff"), ("content-type", b"\xff"), ("traceparent", b"?"), ("", b"")],
)
def test_a_header_that_no_consumer_reads_may_hold_anything(consumer, effects, header):
    found = message(consumer.topic, example(consumer.topic), header)
    assert outcome(consumer, found, effects) == ""
    assert len(effects) == 1


@each_consumer
def test_an_event_without_a_value_has_no_effect(consumer, effects):
    """On a compacted topic it is a tombstone, which is ignored. On others an event got lost, so it is dead-lettered."""
    compacted = "compact" in event_schema(consumer.topic)["x-topic"]["config"]["cleanup.policy"]
    reason = "" if compacted else "the event has no value"
    assert outcome(consumer, message(consumer.topic, None), effects) == reason
    bare = Message(topic=consumer.topic, partition=0, offset=7, key=b"k", value=None, headers=[])
    assert outcome(consumer, bare, effects) == reason
    assert effects == []


@pytest.mark.parametrize(("topic", "path"), RULES)
def test_each_rule_is_documented(topic, path):
    rows = [line for line in DOCUMENT.read_text().splitlines() if line.startswith(f"| `{path}` of {topic} |")]
    assert len(rows) == 1
