"""One connected trace, from the request of an order to both mails, also over a relay that takes over."""

from __future__ import annotations

import json
import secrets
import signal
from collections import Counter
from typing import Any

import requests

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


def assert_connected(spans: list[dict[str, Any]]) -> None:
    """One root, the request, and every other span below a span of the trace."""
    known = {span["id"] for span in spans}
    assert len(known) == len(spans)
    roots = [span["name"].lower() for span in spans if span.get("parentId") not in known]
    assert roots == ["post /orders"]


def told(sink: SpanSink, trace: str) -> Counter[str]:
    names = Counter(span["name"].lower() for span in sink.spans[trace])
    return Counter({name: names[name] for name in STORY})


def test_one_connected_trace_leads_from_the_request_to_both_mails(town: Town, span_sink: SpanSink) -> None:
    ada, lamp = town.customer(), town.product(town.staff())
    ada.order(lamp)  # the catalogue has the lamp
    order_id, trace = order(town, ada, lamp)
    for subject in (f"Order Confirmation - #{order_id}", f"#{order_id} is reserved"):
        assert town.mail(ada, subject).trace_id == trace
    wait_for(lambda: told(span_sink, trace) == STORY, f"{STORY}, but {told(span_sink, trace)}")
    spans = span_sink.spans[trace]
    assert_connected(spans)
    process = next(span for span in spans if span["name"].lower() == "process stock-reserved")
    assert process["kind"] == "CONSUMER"
    assert process["tags"]["messaging.consumer.group.name"] == "order-service-stock"
    assert {"insert", "select"} <= {span["name"].lower() for span in spans}  # MySQL
    assert {"find", "committransaction"} <= {span["name"].lower() for span in spans}  # MongoDB
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
    assert_connected(span_sink.spans[trace])
