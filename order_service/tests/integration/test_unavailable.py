"""A frozen database: 503 within five seconds, and normal service right afterwards."""

import os
import signal
import time

import MySQLdb
import pytest
from django.db import connection
from django.test import Client

from libs.django_store.connection import renew_connection
from order_service.tests.integration.test_placing import problem

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def freeze(mysql):
    """`freeze()` stops the server's process until the test ends, or until `thaw()`."""
    pid = int((mysql.state.data / "mysql" / "server.pid").read_text())

    def send(number):
        os.kill(pid, number)
        state = "T" if number == signal.SIGSTOP else "S"
        end = time.monotonic() + 5
        while (found := read_state(pid)) != state and time.monotonic() < end:
            time.sleep(0.01)
        assert (found == "T") is (state == "T")

    yield lambda: send(signal.SIGSTOP), lambda: send(signal.SIGCONT)
    os.kill(pid, signal.SIGCONT)
    connection.close()


def read_state(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0]


def test_a_frozen_database_is_503_and_service_goes_on_after_it(customer, sell, freeze):
    stop, go_on = freeze
    product = sell()
    assert customer.get("/orders").status_code == 200
    stop()
    for call in (
        lambda: customer.get("/orders"),
        lambda: customer.send("/orders", {"productId": product, "quantity": 1}),
    ):
        began = time.monotonic()
        answer = call()
        assert time.monotonic() - began < 5
        problem(answer, 503, "unavailable")
        assert answer["Retry-After"]
        renew_connection()  # as between two requests
    assert Client().get("/health/live").status_code == 200
    ready = Client().get("/health/ready")
    assert (ready.status_code, ready.json()["checks"]["mysql"]["status"]) == (503, "down")
    go_on()
    renew_connection()
    assert customer.get("/orders").status_code == 200


def test_pages_of_the_desk_say_so_too(desk, freeze):
    stop, _ = freeze
    stop()
    desk.raise_request_exception = False
    answer = desk.get("/admin/orders/order/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert b"unavailable" in answer.content


@pytest.fixture
def read_only(mysql):
    """`read_only(True)` makes the server refuse writes until the test ends."""
    root = MySQLdb.connect(
        host="127.0.0.1", port=mysql.port, user="root", password=mysql.root_password, autocommit=True
    )

    def set_to(value):
        root.query(f"SET GLOBAL read_only = {int(value)}")

    yield set_to
    set_to(False)
    root.close()


def test_a_server_that_takes_no_writes_is_not_ready(customer, read_only):
    assert customer.get("/health/ready").json()["checks"]["mysql"]["status"] == "ok"
    read_only(True)
    answer = customer.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"]["mysql"] == {
        "status": "down",
        "reason": "MySQL is read-only: no order can be stored",
    }
    read_only(False)
    assert customer.get("/health/ready").json()["checks"]["mysql"]["status"] == "ok"
