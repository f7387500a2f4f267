"""The connections of MongoDB's pool as a metric."""

from types import SimpleNamespace

from prometheus_client import REGISTRY

from libs.mongo_store.wait_listener import CommandWaits, ConnectionWaits
from libs.runtime import trace_context
from libs.runtime.trace_context import TraceContext


def counts():
    return [REGISTRY.get_sample_value("db_pool_connections", {"state": state}) for state in ("open", "in_use")]


def test_connections_are_counted_while_they_are_open_and_while_they_are_used():
    listener, (opened, used) = ConnectionWaits(), counts()
    for event, more in [
        ("check_out_started", (0, 0)),
        ("created", (1, 0)),
        ("ready", (1, 0)),
        ("checked_out", (1, 1)),
        ("checked_in", (1, 0)),
        ("check_out_started", (1, 0)),
        ("check_out_failed", (1, 0)),
        ("closed", (0, 0)),
    ]:
        getattr(listener, f"connection_{event}")(None)
        assert counts() == [opened + more[0], used + more[1]], event


def command(name, **parts):
    return SimpleNamespace(command_name=name, command={name: 1, **parts}, database_name="shop", duration_micros=5)


def test_the_span_of_a_command_names_its_collection_and_no_value(recorded):
    secret = {"email": "ada@example.com"}
    with trace_context.continued(TraceContext("1" * 32, "2" * 16, sampled=True)):
        for event in (command("insert", insert="products", documents=[secret]), command("commitTransaction")):
            CommandWaits().started(event)
            CommandWaits().succeeded(event)
    assert [span.name for span in recorded] == ["insert products", "commitTransaction"]
    assert recorded[0].attributes["db.collection.name"] == "products"
    assert "ada" not in str(recorded)
