"""The database backend: when it asks the server whether it answers, and how a transaction begins."""

import pytest
from django.db import OperationalError
from django.db.backends.base.base import NO_DB_ALIAS
from django.db.transaction import get_connection

from libs.django_store.mysql import base
from libs.runtime.telemetry.database_waits import WAITS


class Server:
    """The driver's connection. Notes what it is asked, and whether the wait for it is known."""

    def __init__(self):
        self.asked, self.is_away = [], False

    def _note(self, what):
        self.asked.append(what)
        assert WAITS._began, "the wait is not reported"
        if self.is_away:
            raise base.base.Database.OperationalError(2006, "gone away")

    def ping(self):
        self._note("ping")

    def begin(self):
        self._note("begin")

    def close(self):
        pass


@pytest.fixture
def moment(monkeypatch):
    """The time, in seconds: `moment[0] += 1` lets a second pass."""
    now = [1000.0]
    monkeypatch.setattr(base.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def connection(moment):
    settings = {**get_connection().settings_dict, "CONN_HEALTH_CHECKS": True}
    made = base.DatabaseWrapper(settings, NO_DB_ALIAS)
    made.connection, made.autocommit = Server(), True
    return made


def execute(connection):
    context = {"connection": connection, "cursor": None}
    return base._execute(lambda *given: "done", "SELECT 1", None, False, context)


def begin_request(connection):
    """What Django does before the first statement of a request. True when it keeps the connection."""
    connection.health_check_enabled, connection.health_check_done = True, False
    connection.close_if_health_check_failed()
    return connection.connection is not None


def test_a_server_that_answered_within_a_second_is_not_pinged(connection, moment):
    execute(connection)
    moment[0] += 0.9
    assert begin_request(connection)
    assert connection.connection.asked == []
    moment[0] += 0.2
    assert begin_request(connection)
    assert connection.connection.asked == ["ping"]


def test_a_new_connection_is_pinged(connection):
    assert begin_request(connection)
    assert connection.connection.asked == ["ping"]


def test_a_connection_with_an_error_is_pinged_and_closed(connection):
    execute(connection)
    connection.errors_occurred, connection.connection.is_away = True, True
    assert not connection.is_usable()
    assert connection.connection.asked == ["ping"]
    assert not begin_request(connection)


def test_a_statement_that_fails_proves_nothing(connection):
    def fail(*_):
        raise OperationalError(2013)

    with pytest.raises(OperationalError):
        base._execute(fail, "SELECT 1", None, False, {"connection": connection})
    assert connection.answered_at == float("-inf")


def test_a_transaction_begins_by_one_statement(connection):
    assert (
        hasattr(base.base.DatabaseWrapper, "_start_transaction_under_autocommit") is False
    )  # Django asks for it by name
    connection._start_transaction_under_autocommit()
    assert connection.connection.asked == ["begin"]


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("SELECT `id` FROM `orders` WHERE `id` = %s", "SELECT orders"),
        ("select count(*) from order_lines", "SELECT order_lines"),
        ("INSERT INTO `outbox` (`id`) VALUES (%s)", "INSERT outbox"),
        ("UPDATE orders SET status = %s", "UPDATE orders"),
        ("DELETE FROM `outbox` WHERE id IN (%s)", "DELETE outbox"),
        ("SAVEPOINT a", "SAVEPOINT"),
    ],
)
def test_the_span_of_a_statement_names_its_table(sql, name):
    found, attributes = base.describe(sql)
    assert found == name
    assert attributes["db.system.name"] == "mysql"
    assert attributes.get("db.collection.name", "") == name.partition(" ")[2]
