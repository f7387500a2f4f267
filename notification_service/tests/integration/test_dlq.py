"""`python -m notification_service dlq`: what could not be mailed is mailed after the fix, once."""

import os
import subprocess
import sys

import pytest

from notification_service.tests.integration.world import ROOT, Listening, wait_until


@pytest.fixture
def dlq(config):
    def run(*arguments):
        command = [sys.executable, "-m", "notification_service", "dlq", *arguments]
        environ = {**os.environ, "SMTP_PORT": str(config.smtp_port)}
        return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60)

    return run


def test_a_dead_letter_is_mailed_by_a_replay_and_by_no_second_one(config, kafka, dlq, shop, smtp_sink, person):
    smtp_sink.behave("550")
    with Listening(config) as listening:
        shop.register(person)
        wait_until(lambda: listening.status()["deadLetters"] == 1)
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
    with Listening(config) as listening:
        wait_until(listening.settled)
    assert len(smtp_sink.to(person.email)) == 1
