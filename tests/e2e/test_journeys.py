"""What people live through, over HTTP and mail, with every process running for real."""

from __future__ import annotations

import signal

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


def test_a_new_price_reaches_the_next_order_and_a_gone_product_none(town: Town) -> None:
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
