"""The whole comparison: what clients were told, what the databases hold, what the topics tell."""

from __future__ import annotations

from chaos.harness.checks import ORDER_TOPICS, PRODUCT_TOPICS, USER_TOPICS, check_events, check_order
from chaos.harness.customers import Customers
from chaos.harness.stores import Stores
from chaos.harness.topics import Ends, Topics


def check_all(customers: Customers, stores: Stores, topics: Topics, start: Ends, product_id: str) -> None:
    """What clients were told, what the databases hold and what the topics tell are the same."""
    history = customers.history
    users = {user["username"]: user for user in stores.users["users"].find({"username": {"$regex": customers.tag}})}
    orders = {order["tag"]: order for order in stores.orders(product_id)}
    product = stores.shelf["products"].find_one({"name": {"$regex": customers.tag}})
    assert product is not None
    for kind, stored in (("register", users), ("order", orders)):
        assert history.keys(kind, "ok") <= stored.keys(), f"{kind}: acknowledged, but not stored"
        assert not history.keys(kind, "fail") & stored.keys(), f"{kind}: refused, but stored"
    described = len(history.calls("describe", "ok"))
    assert described <= product["version"] - 1 <= described + len(history.calls("describe", "info"))
    for names, rows in (
        (USER_TOPICS, {str(user["_id"]): user["sequence"] for user in users.values()}),
        (PRODUCT_TOPICS, {str(product["_id"]): product["sequence"]}),
        (ORDER_TOPICS, {order["id"]: order["sequence"] for order in orders.values()}),
    ):
        records = topics.read(*names, since=start)
        check_events(rows, records)
        check_order(records)
