"""What people live through, over HTTP and mail, with every process running for real."""

from __future__ import annotations

import json
import re
import secrets
import signal
from collections import Counter
from typing import Any

import requests

from tests.e2e.conftest import Town, wait_for


def test_a_customer_registers_orders_and_hears_of_each_step(town: Town) -> None:
    ada, staff = town.customer(), town.staff()
    welcome = town.mail(ada, "Welcome")
    assert ada.username in welcome.text
    assert ada.username in welcome.html
    lamp = town.product(staff, price="19.90", stock=10)
    order = ada.order(lamp, quantity=3)
    assert (order["status"], order["total"]) == ("pending", "59.70")
    assert "59.70" in town.mail(ada, f"Order Confirmation - #{order['id']}").text
    wait_for(lambda: ada.status_of(order) == "confirmed", "confirmed")
    town.mail(ada, f"#{order['id']} is reserved")
    for status, subject in (("shipped", "is on its way"), ("delivered", "was delivered")):
        assert staff.call("order", "PUT", f"/orders/{order['id']}/status", {"status": status}).status == 200
        town.mail(ada, f"#{order['id']} {subject}")


def test_an_order_takes_the_stock_and_a_cancellation_gives_it_back(town: Town) -> None:
    ada, staff = town.customer(), town.staff()
    lamp = town.product(staff, stock=5)
    stock = lambda: staff.call("product", "GET", f"/products/{lamp['id']}").json["stock"]  # noqa: E731
    order = ada.order(lamp, quantity=2)
    wait_for(lambda: stock() == 3, "stock taken")
    assert ada.call("order", "POST", f"/orders/{order['id']}/cancel").json["status"] == "cancelled"
    wait_for(lambda: stock() == 5, "stock back")
    town.mail(ada, f"#{order['id']} was cancelled")


def test_what_is_not_there_can_not_be_had(town: Town) -> None:
    ada, staff = town.customer(), town.staff()
    lamp = town.product(staff, stock=1)
    order = ada.order(lamp, quantity=2)
    wait_for(lambda: ada.status_of(order) == "rejected", "rejected")
    town.mail(ada, f"#{order['id']} could not be filled")


def test_a_new_price_reaches_the_next_order_and_a_withdrawn_product_none(town: Town) -> None:
    ada, staff = town.customer(), town.staff()
    lamp = town.product(staff, price="10.00")
    ada.order(lamp)
    assert staff.call("product", "PATCH", f"/products/{lamp['id']}", {"price": "12.00"}).status == 200
    wait_for(lambda: ada.order(lamp)["total"] == "12.00", "new price")
    assert staff.call("product", "DELETE", f"/products/{lamp['id']}").status == 204
    body = {"productId": lamp["id"], "quantity": 1}
    wait_for(lambda: ada.call("order", "POST", "/orders", body).status == 422, "gone")


def test_with_kafka_frozen_everybody_is_served_and_the_events_follow_later(town: Town) -> None:
    staff = town.staff()
    lamp = town.product(staff)
    before = town.customer()
    before.order(lamp)
    town.shop.kill("kafka", signal.SIGSTOP)
    try:
        ada = town.customer()
        order = ada.order(lamp)
        assert staff.call("product", "PATCH", f"/products/{lamp['id']}", {"name": "New lamp"}).status == 200
        for service in ("user", "product", "order"):
            assert ada.call(service, "GET", "/health/ready").status == 200
        assert ada.status_of(order) == "pending"
    finally:
        town.shop.kill("kafka", signal.SIGCONT)
    town.mail(ada, "Welcome")
    wait_for(lambda: ada.status_of(order) == "confirmed", "confirmed")


def test_one_trace_leads_from_the_request_to_both_mails_and_through_the_logs(town: Town) -> None:
    ada, lamp = town.customer(), town.product(town.staff())
    ada.order(lamp)  # the catalogue has the lamp
    trace = secrets.token_hex(16)
    headers = {"traceparent": f"00-{trace}-{secrets.token_hex(8)}-01", "Authorization": f"Bearer {ada.token}"}
    body = {"productId": lamp["id"], "quantity": 1}
    placed = requests.post(town.shop.url("order", "/orders"), json=body, headers=headers, timeout=10)
    order_id = placed.json()["orderId"]
    for subject in (f"Order Confirmation - #{order_id}", f"#{order_id} is reserved"):
        assert town.mail(ada, subject).trace_id == trace
    wanted = [("order-web", "request")]
    wanted += [("order-worker", "event published"), ("product-worker", "event handled")]
    wanted += [("product-worker", "event published"), ("order-worker", "event handled")]
    wanted += [("notification", "event handled"), ("notification", "mail sent")]
    for process, event in wanted:
        wait_for(lambda p=process, e=event: lines_of(town.shop.log(p), e, trace), f"{process}: {event}")
    events = [line for process, event in wanted[1:] for line in lines_of(town.shop.log(process), event, trace)]
    assert {line["aggregate_id"] for line in events if line["topic"].startswith(("order-", "stock-"))} == {order_id}
    assert all(line["event_id"] for line in events)
    times = Counter(line["topic"] for line in lines_of(town.shop.log("notification"), "event handled", trace))
    assert times == {"order-placed": 1, "order-confirmed": 1}


def test_the_story_of_an_order_covers_all_services(town: Town) -> None:
    ada, lamp = town.customer(), town.product(town.staff())
    order = ada.order(lamp)
    town.mail(ada, f"Order Confirmation - #{order['id']}")
    town.mail(ada, f"#{order['id']} is reserved")
    wanted = ("POST /orders → 201", "the customer has ordered", "order-placed handled in", "the goods are reserved")
    wanted += (
        "the order is confirmed",
        "mail order-placed sent",
        "mail order-confirmed sent",
        "mail-sent/",
        "decided after",
    )

    def told() -> str:
        return town.shop.command("follow", f"ORDER={order['id']}").stdout

    wait_for(lambda: all(words in told() for words in wanted), f"{wanted} in {told()}")
    assert re.search(r"^trace ([0-9a-f]{32})  make logs TRACE=\1$", told(), re.MULTILINE)
    unknown = town.shop.command("follow", "ORDER=01K8ZC4M7RXW2Q5T9V3B6H1N0D")
    assert (unknown.returncode, "neither the logs nor Kafka know" in unknown.stderr) == (1, True)


def lines_of(log: str, event: str, trace: str) -> list[dict[str, Any]]:
    """The lines of a process's log about this event of this trace."""
    lines = [json.loads(line) for line in log.splitlines() if trace in line]
    return [line for line in lines if line["event"] == event and line["trace_id"] == trace]


def test_each_service_counts_its_requests_by_route_and_shows_its_worker(town: Town) -> None:
    town.customer().order(town.product(town.staff()))
    for service, wanted in {
        "user": (
            'http_requests_total{method="POST",route="/register",status="2xx"}',
            "password_hash_queue ",
            "relay_is_leader",
        ),
        "product": (
            'http_requests_total{method="POST",route="/products",status="2xx"}',
            "breaker_open ",
            "consumer_lag_seconds",
        ),
        "order": (
            'http_requests_total{method="POST",route="/orders",status="2xx"}',
            "breaker_open ",
            "order_decision_seconds_",
        ),
        "notification": ("http_requests_total{", "mails_total{", "mails_parked{", "order_mail_seconds_bucket"),
    }.items():
        metrics = lambda service=service: town.shop.call(service, "GET", "/metrics").body.decode()  # noqa: E731
        wait_for(lambda m=metrics, w=wanted: all(f"\n{name}" in m() for name in w), f"{wanted} of {service}")
