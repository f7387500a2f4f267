"""The servers as the fixtures and `make up` start them."""

from __future__ import annotations

import MySQLdb
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from pymongo import MongoClient

from deploy.local.ports import pick_free
from deploy.local.servers.mail import Mail
from deploy.local.servers.mysql import MySQL
from deploy.local.state import State
from tests.stack import running


def test_mysql_lets_the_account_into_its_databases_only(mysql: MySQL) -> None:
    account = {"host": "127.0.0.1", "port": mysql.port, "user": mysql.user, "password": mysql.password}
    with MySQLdb.connect(**account, database=mysql.databases[0]) as cursor_owner:
        cursor = cursor_owner.cursor()
        cursor.execute("CREATE TABLE probe (id INT)")
        cursor.execute("DROP TABLE probe")
        with pytest.raises(MySQLdb.OperationalError, match="denied"):
            cursor.execute("CREATE DATABASE stranger")


def test_mysql_refuses_a_wrong_or_empty_password(mysql: MySQL) -> None:
    for user in (mysql.user, "root", ""):
        for password in ("", "wrong"):
            with pytest.raises(MySQLdb.OperationalError, match="denied"):
                MySQLdb.connect(host="127.0.0.1", port=mysql.port, user=user, password=password)


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
