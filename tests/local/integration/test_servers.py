"""The servers as the fixtures and `make up` start them."""

from __future__ import annotations

import secrets
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import MySQLdb
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from pymongo import MongoClient

from deploy.local.servers.kafka import Kafka
from deploy.local.servers.mail import Mail
from deploy.local.servers.mongo import Mongo
from deploy.local.servers.mysql import Account, MySQL
from deploy.local.state import ROOT, State
from tests.free_ports import pick_free
from tests.stack import running


def test_mysql_lets_the_account_into_its_databases_only(mysql: MySQL) -> None:
    account = {"host": "127.0.0.1", "port": mysql.port, "user": mysql.user, "password": mysql.password}
    with MySQLdb.connect(**account, database=mysql.databases[0]) as cursor_owner:
        cursor = cursor_owner.cursor()
        cursor.execute("CREATE TABLE probe (id INT)")
        cursor.execute("DROP TABLE probe")
        with pytest.raises(MySQLdb.OperationalError, match="denied"):
            cursor.execute("CREATE DATABASE stranger")


def test_beside_an_account_for_migrations_the_services_own_changes_no_table(
    server_state: State, tmp_path: Path
) -> None:
    state, migrator = State(tmp_path), Account("mover", secrets.token_hex(12))
    state.make()
    ports = pick_free(1)
    server = MySQL(state, ports[0], ("shop",), "shop", secrets.token_hex(12), secrets.token_hex(12))
    for known in (
        server,
        replace(server, migrator=migrator),
    ):  # the first start gives all rights, the second takes them
        with running(known, state):
            place = {"host": "127.0.0.1", "port": server.port, "database": "shop", "autocommit": True}
            mover = migrator if known.migrator else Account(server.user, server.password)
            with closing(MySQLdb.connect(user=mover.user, password=mover.password, **place)) as owner:
                owner.cursor().execute("CREATE TABLE IF NOT EXISTS things (id INT)")
            if known.migrator:
                with closing(MySQLdb.connect(user=server.user, password=server.password, **place)) as connection:
                    cursor = connection.cursor()
                    cursor.execute("INSERT INTO things VALUES (1)")
                    cursor.execute("UPDATE things SET id = 2")
                    cursor.execute("DELETE FROM things WHERE id = 2")
                    for change in (
                        "CREATE TABLE t (id INT)",
                        "DROP TABLE things",
                        "ALTER TABLE things ADD COLUMN n INT",
                    ):
                        with pytest.raises(MySQLdb.OperationalError, match="denied"):
                            cursor.execute(change)


def test_mysql_refuses_a_wrong_or_empty_password(mysql: MySQL) -> None:
    for user in (mysql.user, "root", ""):
        for password in ("", "wrong"):
            with pytest.raises(MySQLdb.OperationalError, match="denied"):
                MySQLdb.connect(host="127.0.0.1", port=mysql.port, user=user, password=password)


STRANGE = "Zürich, 100 % 'Café' #1; läuft \\o $HOME"
"""What Java, supervisord, configuration files and shells have a meaning of their own for."""


@pytest.mark.parametrize("locale", ["C.UTF-8", "POSIX"])
def test_every_server_keeps_to_its_directory_whatever_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locale: str
) -> None:
    monkeypatch.setenv("LANG", locale)
    monkeypatch.delenv("LC_ALL", raising=False)
    outside = set(ROOT.iterdir())
    state = State(tmp_path / STRANGE)
    state.make()
    password, ports = secrets.token_hex(12), pick_free(6)
    servers = (
        MySQL(state, ports[0], ("shop",), "shop", password, secrets.token_hex(12)),
        Mongo(state, ports[1]),
        Kafka(state, ports[2], ports[3]),
        Mail(state, ports[4], ports[5]),
    )
    for server in servers:
        with running(server, state):
            pass
    assert [path.name for path in tmp_path.iterdir()] == [STRANGE]
    assert {"mysql", "mongo", "kafka", "mail"} <= {path.name for path in state.data.iterdir()}
    assert (state.data / "kafka" / "meta.properties").exists()
    assert set(ROOT.iterdir()) == outside


def test_mongo_has_transactions(mongo: str) -> None:
    client: MongoClient[dict[str, object]] = MongoClient(mongo)
    with client, client.start_session() as session:
        database = client["servers_probe"]
        session.with_transaction(lambda s: database.things.insert_one({"_id": 1}, session=s))
        assert database.things.count_documents({}) == 1
        client.drop_database(database)


def test_kafka_takes_messages_and_makes_no_topic_by_itself(kafka: str) -> None:
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.create_topics([NewTopic("servers-probe", 1)])["servers-probe"].result(10)
    delivered: list[object] = []
    producer = Producer({"bootstrap.servers": kafka})
    producer.produce("servers-probe", b"hello", on_delivery=lambda error, _message: delivered.append(error))
    assert producer.flush(10) == 0
    assert delivered == [None]
    assert "servers-unknown" not in admin.list_topics(timeout=10).topics


def test_the_mail_catcher_comes_up(server_state: State) -> None:
    smtp, page = pick_free(2)
    with running(Mail(server_state, smtp, page), server_state):
        pass
