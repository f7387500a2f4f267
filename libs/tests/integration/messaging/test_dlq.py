"""Dead letters: listed, shown, and handled again after the cause is fixed."""

import pytest

from libs.messaging.dlq_command import run_dlq
from libs.messaging.failures import PermanentFailure
from libs.tests.integration.messaging.test_consumer import Channel, wait_until


@pytest.fixture
def channel(kafka):
    channel = Channel(kafka)
    yield channel
    channel.close()


@pytest.fixture
def letters(channel):
    """Three dead letters of a handler that refuses every event."""

    def refuse(event):
        raise PermanentFailure("not today")

    for n in range(3):
        channel.send(n, partition=n)
    with channel.consuming(refuse) as consumer:
        wait_until(lambda: consumer.status()["deadLetters"] == 3)
    return [f"{channel.topic}.{channel.group}.dlq/{p}/0" for p in range(3)]


def dlq(channel, handler, *arguments):
    return run_dlq(channel.brokers, {channel.group: {channel.topic: handler}}, list(arguments))


def test_a_list_names_each_with_its_reason(channel, letters, capsys):
    assert dlq(channel, print, "list") == 0
    out = capsys.readouterr().out
    for letter in letters:
        assert letter in out
    assert out.count("not today") == 3
    assert out.endswith("3 dead letters\n")


def test_a_dead_letter_is_shown_with_its_headers_key_and_bytes(channel, letters, capsys):
    assert dlq(channel, print, "show", "--id", letters[1]) == 0
    out = capsys.readouterr().out
    assert "x-reason: not today" in out
    assert "ce_id" in out
    assert '{"n":1}' in out
    assert letters[0] not in out


def test_a_replay_passes_each_event_to_the_handler_unchanged(channel, letters):
    seen = []
    assert (
        dlq(channel, lambda event: seen.append((event.type, event.data["n"], event.partition)), "replay", "--all") == 0
    )
    assert sorted(seen) == [(channel.topic, n, n) for n in range(3)]


def test_one_dead_letter_can_be_replayed(channel, letters):
    seen = []
    assert dlq(channel, lambda event: seen.append(event.data["n"]), "replay", "--id", letters[2]) == 0
    assert seen == [2]


def test_a_replay_that_fails_again_is_reported_and_the_next_follows(channel, letters, capsys):
    seen = []

    def handle(event):
        if event.data["n"] == 0:
            raise PermanentFailure("still not")
        seen.append(event.data["n"])

    assert dlq(channel, handle, "replay", "--all") == 1
    assert sorted(seen) == [1, 2]
    assert "failed again: PermanentFailure: still not" in capsys.readouterr().out


def test_an_unknown_id_is_an_error(channel, letters):
    assert dlq(channel, print, "show", "--id", "nowhere/0/0") == 1


@pytest.mark.parametrize("arguments", [["replay"], ["show"], ["replay", "--all", "--id", "x/0/0"], ["burn"]])
def test_odd_arguments_are_refused(arguments):
    with pytest.raises(SystemExit) as ended:
        run_dlq("nowhere", {}, arguments)
    assert ended.value.code == 2
