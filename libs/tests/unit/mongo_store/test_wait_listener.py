"""The connections of MongoDB's pool as a metric."""

from prometheus_client import REGISTRY

from libs.mongo_store.wait_listener import ConnectionWaits


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
