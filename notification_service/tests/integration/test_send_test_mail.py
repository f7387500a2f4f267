"""POST /test-email, over HTTP with a real SMTP server."""

import time
from types import SimpleNamespace

import pytest

from notification_service.api import context
from notification_service.store.recipient_limit import RecipientLimit


def test_staff_get_a_test_mail_to_their_own_address(client, as_role, smtp_sink):
    answer = client.post("/test-email", json={}, headers=as_role("staff"))
    assert (answer.status_code, answer.json["to"]) == (202, "grace@example.com")
    (got,) = smtp_sink.to("grace@example.com")
    assert (got.subject, got.id) == ("Test mail from MicroShop", answer.json["messageId"])


def test_an_own_address_with_an_international_domain_is_reached_as_by_all_other_mails(client, as_role, smtp_sink):
    answer = client.post("/test-email", json={}, headers=as_role("staff", email="grace@bücher.example"))
    assert (answer.status_code, answer.json["to"]) == (202, "grace@xn--bcher-kva.example")
    assert len(smtp_sink.to("grace@xn--bcher-kva.example")) == 1


def test_it_goes_to_another_address_when_one_is_given(client, as_role, smtp_sink, person):
    assert client.post("/test-email", json={"to": f" {person.email}\n"}, headers=as_role("admin")).status_code == 202
    assert len(smtp_sink.to(person.email)) == 1


@pytest.mark.parametrize("mode", ["refuse", "421", "450", "black-hole"])
def test_while_the_smtp_server_is_unavailable_the_response_is_503_within_5_s(client, as_role, smtp_sink, mode):
    smtp_sink.behave(mode)
    began = time.monotonic()
    answer = client.post("/test-email", json={}, headers=as_role("staff"))
    assert time.monotonic() - began < 5
    assert (answer.status_code, answer.json["code"]) == (503, "smtp-away")
    assert int(answer.headers["Retry-After"]) > 0
    seen = "ok" if mode == "450" else "down"  # it replies, and defers one recipient
    assert client.get("/health").json["checks"]["smtp"]["status"] == seen
    smtp_sink.behave("ok")
    assert client.post("/test-email", json={}, headers=as_role("staff")).status_code == 202
    assert client.get("/health").json["checks"]["smtp"]["status"] == "ok"


def test_a_refused_recipient_is_422(client, as_role, smtp_sink):
    smtp_sink.behave("550")
    answer = client.post("/test-email", json={}, headers=as_role("staff"))
    assert (answer.status_code, answer.json["code"]) == (422, "mail-refused")


def test_mails_are_counted(client, as_role, smtp_sink):
    def count(line):
        return sum(float(row.split()[-1]) for row in client.get("/metrics").text.splitlines() if row.startswith(line))

    sent, refused = (f'mails_total{{kind="test",outcome="{outcome}"}}' for outcome in ("sent", "refused"))
    before = count(sent), count(refused)
    client.post("/test-email", json={}, headers=as_role("staff"))
    smtp_sink.behave("550")
    client.post("/test-email", json={}, headers=as_role("staff"))
    assert (count(sent), count(refused)) == (before[0] + 1, before[1] + 1)


def test_an_address_gets_few_test_mails_and_other_addresses_are_not_concerned(
    client, as_role, smtp_sink, person, monkeypatch
):
    limit = RecipientLimit(b"key", (20, 3600.0))
    monkeypatch.setattr(context, "send_mail", lambda: SimpleNamespace(limit=limit))

    def send(to):
        return client.post("/test-email", json={"to": to}, headers=as_role("staff"))

    name, _, domain = person.email.partition("@")
    spellings = [person.email, person.email.upper(), f"{name}+1@{domain}", f"{name}+2@{domain}"]
    answers = [send(spellings[number % 4]) for number in range(22)]
    assert [answer.status_code for answer in answers] == [202] * 20 + [429] * 2
    assert answers[-1].json["code"] == "too-many-mails"
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 3600
    assert send(f"other-{person.email}").status_code == 202
