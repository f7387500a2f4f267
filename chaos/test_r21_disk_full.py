"""R21: with MySQL's disk full no order is half stored, orders can be read, and it needs no restart to be well again.

MongoDB and Kafka end themselves when they can not write: to the shop that is a restart of theirs, and costs no more.
"""

from __future__ import annotations

import pytest
from MySQLdb import OperationalError

from chaos.harness.customers import Customers
from chaos.harness.figures import note
from chaos.harness.load import load
from chaos.harness.quiet import wait_quiet
from chaos.harness.stack import Stack
from chaos.harness.stores import Stores
from chaos.harness.topics import Ends, Topics
from chaos.harness.truth import check_all
from chaos.harness.waiting import promised, wait_until

TABLE_FULL = 1114
SLACK_MIB = 8
RECOVERY_SECONDS = promised(10.0)
ENDED_SECONDS = promised(60.0)
RATE = 10
ATTEMPTS = 20
LAST_GAPS = 500  # orders that the pages which are there already may still take


def fill_disk(stores: Stores) -> int:
    """Write until the server says that there is no room; return the error's number."""
    stores.sql("CREATE TABLE filler (id INT AUTO_INCREMENT PRIMARY KEY, stuff MEDIUMTEXT)")
    with stores.connection() as connection:
        cursor = connection.cursor()
        for size in (500_000, 5_000, 50):  # coarse, then fine: what is left holds no row of an order
            try:
                for _ in range(10_000):
                    cursor.execute("INSERT INTO filler (stuff) VALUES (REPEAT('x', %s))", [size])
            except OperationalError as error:
                number = int(error.args[0])
    return number


@pytest.mark.quick
def test_a_full_disk_refuses_orders_whole_serves_reads_and_is_forgiven(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends
) -> None:
    """The limit of InnoDB's one file stands for the disk's."""
    product_id = customers.new_product()["id"]
    known = customers.order(product_id).json["orderId"]
    wait_quiet(stores, topics)
    pids = {name: stack.children[name].pid for name in ("order-web", "order-worker")}
    size = (stack.state.data / "mysql" / "ibdata1").stat().st_size // 2**20 + SLACK_MIB
    stack.mysql.restart(stack.supervisor, f"--innodb-data-file-path=ibdata1:12M:autoextend:max:{size}M")
    try:
        assert fill_disk(stores) == TABLE_FULL
        taken = 0
        while customers.order(product_id).status == 201:
            taken += 1
            assert taken < LAST_GAPS, "there was room on the disk"
        for _ in range(ATTEMPTS):
            customers.order(product_id)
            read = customers.at("order").get(f"/orders/{known}", customers.buyer)
            assert read.status == 200, read
        answers = [call.answer for call in customers.history.calls("order")[1:]]
        refused = [answer for answer in answers if answer.status != 201]
        assert {answer.status for answer in refused} <= {503, 507}
        assert {answer.headers["Content-Type"] for answer in refused} == {"application/problem+json"}
        check_whole(stores, product_id)
    finally:
        stack.mysql.restart(stack.supervisor)  # room: a full InnoDB has none even to drop a table
    back = wait_until(lambda: customers.order(product_id).status == 201, RECOVERY_SECONDS)
    note("R21", f"orders taken again {back:.1f} s after there was room")
    stores.sql("DROP TABLE filler")
    assert {name: stack.children[name].pid for name in pids} == pids
    wait_quiet(stores, topics)
    check_whole(stores, product_id)
    made = [call for call in customers.history.calls("order") if call.answer.status == 201]
    assert len(stores.orders(product_id)) == len(made)


@pytest.mark.parametrize("name", ["mongo", "kafka"])
def test_a_server_that_ends_because_its_disk_is_full_takes_nothing_acknowledged_along(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends, name: str
) -> None:
    """Its files can not grow any more, under load; when it is started again, they can."""
    server = stack.servers[name]
    product_id = customers.new_product()["id"]
    acts = (customers.register, lambda: customers.describe(product_id), lambda: customers.order(product_id))
    with load(lambda number: acts[number % 3](), RATE) as clients:
        clients.wait(2 * RATE)
        server.child.wanted, full = False, server.child.pid
        server.child.refuse_growth()
        wait_until(lambda: not server.child.is_running(), ENDED_SECONDS, f"{name} ({full}) lives on without a disk")
        clients.wait(2 * RATE)
        stack.supervisor.start(server.child)
        server.wait()
        clients.wait(2 * RATE)
    wait_quiet(stores, topics)
    check_all(customers, stores, topics, start, product_id)
    calls = customers.history.calls()
    away = [call.answer for call in calls if call.outcome != "ok"]
    assert {answer.status for answer in away} <= {503}
    assert bool(away) == (name == "mongo"), "the API needs MongoDB, and not Kafka"
    note(
        "R21",
        f"{name} ended by a full disk: {len(calls)} writes, {len(away)} refused, the others all have their events",
    )


def check_whole(stores: Stores, product_id: str) -> None:
    """Each order has its line, and what happened to it is written down."""
    orders = stores.orders(product_id)
    (loose,) = stores.sql(
        "SELECT COUNT(*) AS n FROM orders o LEFT JOIN order_lines l ON l.order_id = o.id WHERE l.id IS NULL"
    )
    assert loose["n"] == 0
    changes = {
        row["order_id"]: row["n"] for row in stores.sql("SELECT order_id, COUNT(*) AS n FROM order_changes GROUP BY 1")
    }
    assert {order["id"]: order["sequence"] for order in orders} == {
        order["id"]: changes[order["id"]] for order in orders
    }
