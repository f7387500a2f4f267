"""`python -m notification_service dlq`: the mail of a dead letter is sent once, after the cause is fixed."""

import os
import secrets
import subprocess
import sys

import orjson
import pytest
from confluent_kafka import Consumer, TopicPartition
from jsonschema import Draft202012Validator

from contracts import event_schema
from libs.messaging.envelope import parse
from libs.runtime.telemetry import trace_context
from libs.runtime.telemetry.trace_context import TraceContext
from notification_service.tests.integration.world import ROOT, RunningConsumer, link, wait_until


@pytest.fixture
def dlq(config):
    def run(*arguments):
        command = [sys.executable, "-m", "notification_service", "dlq", *arguments]
        environ = {**os.environ, "SMTP_PORT": str(config.smtp_port)}
        return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60)

    return run


def test_a_replay_sends_the_mail_of_a_dead_letter_and_a_second_one_does_not(
    config, kafka, dlq, shop, smtp_sink, person
):
    smtp_sink.behave("550")
    with RunningConsumer(config) as consumer:
        shop.register(person)
        wait_until(lambda: consumer.status()["deadLetters"] == 1)
    (letter,) = shop.dead_letters("user-registered", person.email.encode())
    place = f"{letter.topic()}/{letter.partition()}/{letter.offset()}"
    assert place in dlq("list").stdout
    assert "550" in dlq("show", "--id", place).stdout

    again = dlq("replay", "--id", place)
    assert (again.returncode, smtp_sink.to(person.email)) == (1, [])
    assert person.email not in again.stdout + again.stderr

    smtp_sink.behave("ok")
    for _ in range(2):
        assert dlq("replay", "--id", place).returncode == 0
        assert len(smtp_sink.to(person.email)) == 1
    shop.rewind()
    with RunningConsumer(config) as consumer:
        wait_until(consumer.settled)
    assert len(smtp_sink.to(person.email)) == 1


def test_a_replay_continues_the_trace_of_its_event(config, kafka, dlq, shop, smtp_sink, person, span_sink, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_ZIPKIN_ENDPOINT", span_sink.endpoint)
    trace, request = secrets.token_hex(16), secrets.token_hex(8)
    smtp_sink.behave("550")
    with RunningConsumer(config) as consumer, trace_context.continued(TraceContext(trace, request, sampled=True)):
        shop.register(person)
        wait_until(lambda: consumer.status()["deadLetters"] == 1)
    smtp_sink.behave("ok")
    assert dlq("replay", "--all").returncode == 0
    (mail,) = smtp_sink.to(person.email)
    assert mail.message["X-Trace-Id"] == trace
    spans = {span["name"]: span for span in span_sink.spans[trace]}  # the command has sent them before its end
    assert spans.keys() == {"process user-registered", "send mail"}
    process, send = spans["process user-registered"], spans["send mail"]
    assert (process["parentId"], send["parentId"]) == (request, process["id"])
    assert process["tags"]["messaging.consumer.group.name"] == "notification-service"


def test_the_dead_letter_of_a_link_keeps_kind_and_account_and_its_replay_requests_a_new_link(
    config, kafka, dlq, shop, smtp_sink, person
):
    user_id = secrets.token_hex(12)
    smtp_sink.behave("550")
    with RunningConsumer(config) as consumer:
        event_id = shop.publish("user-mail-requested", link(person, 600, user_id), user_id)
        wait_until(lambda: consumer.status()["deadLetters"] == 1)
    (letter,) = shop.dead_letters("user-mail-requested", event_id.encode())
    assert orjson.loads(letter.value()) == {"kind": "reset", "userId": user_id}
    assert letter.key() == user_id.encode()
    kept = repr((letter.key(), letter.value(), letter.headers()))
    assert "t" * 43 not in kept
    assert person.email not in kept

    place = f"{letter.topic()}/{letter.partition()}/{letter.offset()}"
    assert dlq("replay", "--id", place).returncode == 0
    reader = Consumer({"bootstrap.servers": kafka, "group.id": secrets.token_hex(4), "log_level": 2})
    reader.assign([TopicPartition("user-link-requested", partition, 0) for partition in range(3)])
    (request,) = wait_until(lambda: [m for m in reader.consume(10, 0.5) if m.key() == user_id.encode()])
    reader.close()
    data = orjson.loads(request.value())
    Draft202012Validator(event_schema("user-link-requested")).validate(data)
    assert (data["kind"], data["userId"], data["eventId"]) == ("reset", user_id, event_id)
    assert parse(request).type == "user-link-requested"
    assert smtp_sink.to(person.email) == []


def test_a_malformed_link_event_leaves_no_secret_in_its_dead_letter(consumer, shop, person):
    data = link(person, 600) | {"kind": "t" * 43, "userId": ["t" * 43]}
    event_id = shop.publish("user-mail-requested", data, "t" * 43)
    (letter,) = wait_until(lambda: shop.dead_letters("user-mail-requested", event_id.encode()))
    assert (letter.key(), letter.value()) == (None, b"{}")
    assert "t" * 43 not in repr(letter.headers())
