"""Secrets, passwords, tokens and addresses are sent all over the shop, and then looked for where they must not be."""

from __future__ import annotations

import json
import re
import secrets
from typing import Any

import pytest
import requests
from confluent_kafka import Consumer, Producer, TopicPartition
from pymongo import MongoClient
from pymongo.errors import DuplicateKeyError
from ulid import ULID

from deploy import envfile
from deploy.local.services import SERVICES
from tests.e2e.conftest import Person, Town, wait_for
from tests.e2e.test_desk import Browser

SECRETS = {
    "JWT_SECRET",
    "DJANGO_SECRET_KEY",
    "ENCRYPTION_KEY",
    "MYSQL_PASSWORD",
    "MYSQL_MIGRATE_PASSWORD",
    "SMTP_PASSWORD",
    "STAFF_PASSWORD",
    "KAFKA_UI_PASSWORD",
    *envfile.kafka_passwords(),
}
TOPICS = ("user-registered", "user-mail-requested", "order-placed", "user-deleted", "user-revocations")
TOPICS += ("mail-resend-requested", "mail-sent")
GROUPS = ("user-service", "notification-service", "product-service", "product-service-users", "order-service-users")
GROUPS += ("order-service-mails",)


class Canaries:
    """What was sent, by name, and the answers that came back."""

    def __init__(self, town: Town) -> None:
        self.town, self.answers = town, list[str]()
        tag = secrets.token_hex(6)
        self.sent = {name: f"canary-{name}-{tag}" for name in ("password", "wrong", "name", "code", "typo")}
        self.sent |= {"email": f"canary-{tag}@example.com", "username": f"bird-{tag}"}
        self.sent |= {name: town.shop.env[name] for name in SECRETS}

    def fly(self) -> None:
        """Through accounts, orders and the desk."""
        sent, shop = self.sent, self.town.shop
        ada = Person(shop, sent["username"], sent["email"], sent["password"])
        fields = {"username": ada.username, "email": ada.email, "password": ada.password}
        assert ada.call("user", "POST", "/register", fields).status == 201
        self._refused(ada, "user", "POST", "/register", fields | {"password": sent["typo"], "x": sent["name"]})
        self._refused(ada, "user", "POST", "/register", fields)  # the address is taken: a duplicate key
        for password in (sent["wrong"], sent["wrong"] * 20):
            self._refused(ada, "user", "POST", "/login", {"email": ada.email, "password": password})
        logged_in = ada.call("user", "POST", "/login", {"email": ada.email, "password": ada.password}).json
        ada.token = logged_in["token"]
        self.sent |= {"access": logged_in["token"], "refresh": logged_in["refresh"]}
        again = ada.call("user", "POST", "/token/refresh", {"refresh": logged_in["refresh"]}).json
        self._refused(ada, "user", "POST", "/token/refresh", {"refresh": logged_in["refresh"] + "x"})
        self.sent |= {"second access": again["token"], "second refresh": again["refresh"]}
        self._refused(ada, "user", "POST", "/users/me/password", {"current": sent["wrong"], "new": sent["typo"]})
        self._refused(
            ada, "user", "GET", f"/users/me?token={sent['code']}&x={sent['email']}", None, token="x." + ada.token
        )
        self.sent["mailed"] = re.findall(r"token=([\w-]+)", self.town.mail(ada, "Verify").text)[0]
        self._refused(ada, "user", "POST", "/verify-email", {"token": self.sent["mailed"] + "x"})
        assert ada.call("user", "POST", "/password-reset", {"email": ada.email}).status == 202
        self.sent["reset"] = re.findall(r"token=([\w-]+)", self.town.mail(ada, "Reset").text)[0]
        self._refused(
            ada, "user", "POST", "/password-reset/confirm", {"token": self.sent["reset"] + "x", "password": "x"}
        )
        lamp = self.town.product(self.town.staff())
        address = {"name": sent["name"], "line1": sent["name"], "city": "x", "postalCode": "1", "country": "GB"}
        self._refused(ada, "order", "POST", "/orders", {"productId": "x", "quantity": 1, "shippingAddress": address})
        order = ada.order(lamp)
        assert ada.call("order", "POST", f"/orders/{order['id']}/cancel", {}).status == 200
        self._refused(ada, "product", "POST", "/products", {"name": sent["name"]})
        self._refused(ada, "notification", "POST", "/test-email", {"to": sent["email"]})
        self._sign_in_at_the_desk()
        self._search_at_the_desk()
        self._trouble_the_database()

    def _refused(self, who: Person, service: str, method: str, path: str, body: Any, token: str | None = None) -> None:
        kept, who.token = who.token, who.token if token is None else token
        answer = who.call(service, method, path, body)
        who.token = kept
        assert 400 <= answer.status < 500, answer
        self.answers.append(answer.body.decode())

    def _sign_in_at_the_desk(self) -> None:
        with requests.Session() as browser:
            browser.trust_env = False
            browser.headers["Accept"] = "text/html"
            page = self.town.shop.url("order", "/admin/login/")
            browser.get(page, timeout=10)
            form = {"username": self.sent["email"], "code": self.sent["code"]}
            form["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
            for password in (self.sent["wrong"], self.sent["password"]):
                self.answers.append(browser.post(page, form | {"password": password}, timeout=10).text)
            form["csrfmiddlewaretoken"] = "x"
            self.answers.append(browser.post(page, form | {"password": self.sent["password"]}, timeout=10).text)

    def _trouble_the_database(self) -> None:
        """Operations that MongoDB's log would keep with their values: slow ones, and a duplicate key."""
        with MongoClient[dict[str, Any]](self.town.shop.env["MONGO_URI_USER"]) as client:
            users = client.get_default_database()["users"]
            row = users.find_one({"email": self.sent["email"]})
            assert row is not None
            self.sent["hash"] = row["password_hash"]
            slow = {"$where": "sleep(300) || true"}
            assert (
                len(list(users.find({"email": self.sent["email"]} | slow))) == 1
            )  # a count is an aggregation: no $where
            assert users.update_one(
                {"_id": row["_id"]} | slow, {"$set": {"password_hash": row["password_hash"]}}
            ).matched_count
            other = users.find_one({"email_key": {"$nin": [None, row["email_key"]]}})
            assert other is not None
            with pytest.raises(DuplicateKeyError):
                users.update_one({"_id": other["_id"]}, {"$set": {"email_key": row["email_key"]}})

    def _search_at_the_desk(self) -> None:
        with Browser(self.town) as desk:
            desk.sign_in(self.town.staff())
            page = self.town.shop.url("order", f"/admin/users/?search={self.sent['email']}")
            assert self.sent["username"] in desk.get(page, timeout=10).text

    def poison(self) -> dict[str, list[Any]]:
        """Events that no consumer can handle, with canaries in each field: return the dead letters, by topic."""
        brokers = self.town.shop.env["KAFKA_BROKERS"]
        producer = Producer({"bootstrap.servers": brokers})
        for topic in TOPICS:
            value = json.dumps({name: {"x": text} for name, text in self.sent.items()} | {"token": self.sent["code"]})
            headers = {"ce_specversion": "1.0", "ce_id": str(ULID()), "ce_type": topic, "ce_source": self.sent["name"]}
            producer.produce(topic, value, self.sent["email"], headers=headers)
        assert producer.flush(10) == 0
        producer.close()
        return {topic: wait_for(lambda t=topic: self._dead_letters(t), f"dead letter of {topic}") for topic in TOPICS}

    def _dead_letters(self, topic: str) -> list[Any]:
        reader = Consumer({"bootstrap.servers": self.town.shop.env["KAFKA_BROKERS"], "group.id": secrets.token_hex(4)})
        try:
            known = reader.list_topics(timeout=10).topics
            names = [name for name in (f"{topic}.{group}.dlq" for group in GROUPS) if name in known]
            reader.assign([TopicPartition(name, p, 0) for name in names for p in known[name].partitions])
            return [letter for letter in reader.consume(100, 1.0) if not letter.error()]
        finally:
            reader.close()

    def found_in(self, text: str) -> set[str]:
        """The names of those that are in it."""
        return {name for name, canary in self.sent.items() if canary in text}


@pytest.fixture(scope="module")
def canaries(shop: Any) -> Canaries:
    canaries = Canaries(Town(shop))
    canaries.fly()
    return canaries


@pytest.fixture(scope="module")
def dead_letters(canaries: Canaries) -> dict[str, list[Any]]:
    return canaries.poison()


def test_every_generated_secret_is_a_canary() -> None:
    addresses = {name for name in envfile.generated() if name.startswith("MONGO")} | {"MYSQL_ROOT_PASSWORD"}
    assert set(envfile.generated()) - addresses == SECRETS  # those are known to no service, or to Compose alone


def test_no_error_shows_what_was_sent(canaries: Canaries) -> None:
    told = canaries.found_in("\n".join(canaries.answers))
    assert told <= {"email", "code"}, told  # the form at the desk shows again what was typed, but for the password
    problems = "\n".join(answer for answer in canaries.answers if "<html" not in answer and "<form" not in answer)
    assert canaries.found_in(problems) == set()


@pytest.mark.parametrize("topic", TOPICS)
def test_no_reason_of_a_dead_letter_shows_what_was_sent(
    canaries: Canaries, dead_letters: dict[str, list[Any]], topic: str
) -> None:
    for letter in dead_letters[topic]:
        told = {name: (value or b"").decode() for name, value in letter.headers() if name.startswith("x-")}
        assert canaries.found_in(str(told)) == set()
        if topic == "user-mail-requested":
            assert (letter.value(), letter.key()) == (
                b"{}",
                None,
            )  # of its fields, kind and userId alone are kept, if well-formed


@pytest.mark.parametrize("process", ["mongo", *(service.name for service in SERVICES)])
def test_no_log_holds_one(canaries: Canaries, dead_letters: dict[str, list[Any]], process: str) -> None:
    log = canaries.town.shop.log(process)
    assert len(log) > 0
    assert canaries.found_in(log) == set()
