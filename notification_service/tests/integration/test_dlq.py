"""`python -m notification_service dlq`: the mail of a dead letter is sent once, after the cause is fixed."""

import os
import subprocess
import sys

import pytest

from notification_service.tests.integration.world import ROOT, RunningConsumer, wait_until


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
