"""One connected trace, from the request of an order to both mails, also over a retry, a takeover and a replay."""

from __future__ import annotations

import json
import secrets
import signal
from collections import Counter
from typing import Any

import pymongo
import requests

from libs.messaging.handlers import RETRY_SECONDS
from tests.e2e.conftest import Person, Town, wait_for
from tests.span_sink import SpanSink

STORY = Counter(
    {
        "post /orders": 1,
        "send order-placed": 1,
        "process order-placed": 2,  # by product_service and by notification_service
        "send stock-reserved": 1,
        "process stock-reserved": 1,
        "send order-confirmed": 1,
        "process order-confirmed": 1,
        "send mail": 2,
    }
)


def order(town: Town, ada: Person, lamp: dict[str, Any]) -> tuple[str, str]:
    """Place an order in a new trace. Return the ids of the order and of the trace."""
    trace = secrets.token_hex(16)
    headers = {"traceparent": f"00-{trace}-{secrets.token_hex(8)}-00", "Authorization": f"Bearer {ada.token}"}
    body = {"productId": lamp["id"], "quantity": 1}
    answer = requests.post(town.shop.url("order", "/orders"), json=body, headers=headers, timeout=30)
    assert answer.status_code == 201, answer.text
    return answer.json()["orderId"], trace


def wait_connected(sink: SpanSink, trace: str) -> None:
    """Wait for one root, the request, and every other span below a span of the trace. A parent ends after its children."""

    def roots() -> list[str]:
        known = {span["id"] for span in sink.spans[trace]}
        return [span["name"].lower() for span in sink.spans[trace] if span.get("parentId") not in known]

    wait_for(lambda: roots() == ["post /orders"], f"the roots are {roots()}")
    assert len({span["id"] for span in sink.spans[trace]}) == len(sink.spans[trace])


def told(sink: SpanSink, trace: str) -> Counter[str]:
    names = Counter(span["name"].lower() for span in sink.spans[trace])
    return Counter({name: names[name] for name in STORY})


def attempts(sink: SpanSink, trace: str, group: str) -> list[dict[str, Any]]:
    """The spans of a group's work for the order, in sequence."""
    spans = [span for span in sink.spans[trace] if span["name"].lower() == "process order-placed"]
    ours = [span for span in spans if span["tags"]["messaging.consumer.group.name"] == group]
    return sorted(ours, key=lambda span: span["timestamp"])


def test_one_connected_trace_leads_from_the_request_to_both_mails(town: Town, span_sink: SpanSink) -> None:
    ada, lamp = town.customer(), town.product(town.staff())
    before = ada.order(lamp)  # the catalogue has the lamp
    wait_for(lambda: ada.status_of(before) != "pending", "not decided")  # else both may be decided in one batch
    order_id, trace = order(town, ada, lamp)
    for subject in (f"Order Confirmation - #{order_id}", f"#{order_id} is reserved"):
        assert town.mail(ada, subject).trace_id == trace
    wait_for(lambda: told(span_sink, trace) == STORY, f"{STORY}, but {told(span_sink, trace)}")
    spans = span_sink.spans[trace]
    wait_connected(span_sink, trace)
    process = next(span for span in spans if span["name"].lower() == "process stock-reserved")
    assert process["kind"] == "CONSUMER"
    assert process["tags"]["messaging.consumer.group.name"] == "order-service-stock"
    names = {span["name"].lower() for span in spans}
    assert {"insert orders", "select catalogue_products"} <= names  # MySQL
    assert {"findandmodify products", "insert reservations", "committransaction"} <= names  # MongoDB
    text = json.dumps(spans)
    for private in (ada.email, ada.username, ada.token):
        assert private not in text


def test_a_trace_holds_together_over_a_relay_that_takes_over(town: Town, span_sink: SpanSink) -> None:
    ada, lamp = town.customer(), town.product(town.staff())
    ada.order(lamp)
    town.shop.kill("order-worker", signal.SIGSTOP)
    try:
        order_id, trace = order(town, ada, lamp)
    finally:
        town.shop.kill("order-worker", signal.SIGKILL)  # the supervisor starts another one, whose relay takes the lease
    town.mail(ada, f"#{order_id} is reserved")
    wait_for(lambda: told(span_sink, trace) >= STORY, f"{STORY}, but {told(span_sink, trace)}")
    wait_connected(span_sink, trace)


def test_a_trace_holds_together_over_the_retry_of_an_event(town: Town, span_sink: SpanSink) -> None:
    ada, lamp = town.customer(), town.product(town.staff())
    before = ada.order(lamp)
    wait_for(lambda: ada.status_of(before) != "pending", "not decided")  # else it would be the one that is retried
    town.shop.kill("mongo", signal.SIGSTOP)
    try:
        order_id, trace = order(town, ada, lamp)
        tries = lambda: attempts(span_sink, trace, "product-service")  # noqa: E731
        wait_for(lambda: any("error" in span["tags"] for span in tries()), "no try failed", 90)
    finally:
        town.shop.kill("mongo", signal.SIGCONT)
    town.mail(ada, f"#{order_id} is reserved")
    wait_for(lambda: told(span_sink, trace) >= STORY, f"{STORY}, but {told(span_sink, trace)}")
    wait_connected(span_sink, trace)
    *failed, last = tries()
    assert failed
    assert all(span["tags"]["error"] for span in failed)
    assert "error" not in last["tags"]
    assert [span["tags"]["shop.attempt"] for span in (*failed, last)] == [str(n + 1) for n in range(len(failed) + 1)]


def test_a_trace_holds_together_over_a_dead_letter_and_its_replay(town: Town, span_sink: SpanSink) -> None:
    ada, lamp = town.customer(), town.product(town.staff())
    before = ada.order(lamp)
    wait_for(lambda: ada.status_of(before) != "pending", "not decided")
    with pymongo.MongoClient[dict[str, Any]](town.shop.env["MONGO_URI_PRODUCT"]) as client:
        database = client.get_default_database()
        database.command("collMod", "reservations", validator={"never": True})  # as after a bad migration
        try:
            order_id, trace = order(town, ada, lamp)
            wait_for(lambda: lines_of(town, "handler failed", trace), "no try failed")
            town.shop.kill("order-worker", signal.SIGSTOP)  # it would ask for the reservation again
            wait_for(lambda: lines_of(town, "dead letter written", trace), "no dead letter", 90)
        finally:
            database.command("collMod", "reservations", validator={})
    try:
        replayed = town.shop.command("manage", "product_service", "dlq", "replay", "--all")
    finally:
        town.shop.kill("order-worker", signal.SIGCONT)
    assert " handled\n" in replayed.stdout, replayed.stdout + replayed.stderr  # other tests leave some that fail again
    town.mail(ada, f"#{order_id} is reserved")
    wait_for(lambda: told(span_sink, trace) >= STORY, f"{STORY}, but {told(span_sink, trace)}")
    wait_connected(span_sink, trace)
    spans = attempts(span_sink, trace, "product-service")
    failed = [span["tags"]["error"] for span in spans if "error" in span["tags"]]
    assert len(failed) == len(RETRY_SECONDS) + 2  # the tries, and the dead letter
    assert failed[-1].startswith("dead letter: ")
    replay = next(span for span in spans if "error" not in span["tags"])
    sent = [span for span in span_sink.spans[trace] if span["name"].lower() == "send stock-reserved"]
    assert min(sent, key=lambda span: span["timestamp"])["parentId"] == replay["id"]


def lines_of(town: Town, event: str, trace: str) -> list[str]:
    """The lines of product-worker's log about an event of a trace."""
    lines = town.shop.log("product-worker").splitlines()
    return [line for line in lines if f'"{event}"' in line and trace in line]
