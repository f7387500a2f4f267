"""Dead letters: which headers they keep, and where they go when their topic has fewer partitions."""

import pytest
from confluent_kafka import KafkaError, KafkaException, Message

from libs.messaging.dead_letters import write_dead_letter

TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Producer:
    """Refuses the partitions of `unknown`."""

    def __init__(self, *unknown, code=KafkaError._UNKNOWN_PARTITION):
        self.unknown, self.code, self.sent = unknown, code, []

    def send(self, topic, value, key, *, partition, headers):
        if partition in self.unknown:
            raise KafkaException(KafkaError(self.code))
        self.sent.append((topic, value, key, partition, dict(headers)))


def write(producer, headers=(), kept=None, partition=5):
    message = Message(topic="t", partition=partition, offset=7, key=b"k", value=b'{"a": "1"}', headers=list(headers))
    write_dead_letter(producer, "g", message, reason="why", attempts=0, kept=kept)
    return producer.sent[-1]


@pytest.mark.parametrize(
    ("text", "is_kept"), [(TRACE, True), (b"a secret", False), (TRACE + b"x", False), (None, False)]
)
def test_the_dead_letter_of_a_secret_event_keeps_a_traces_id_and_nothing_else_in_its_place(text, is_kept):
    headers = write(Producer(), [("traceparent", text), ("ce_id", b"1"), ("other", b"secret")], kept={})[4]
    assert ("traceparent" in headers, "ce_id" in headers, "other" in headers) == (is_kept, True, False)


def test_a_dead_letter_of_a_partition_that_its_topic_does_not_have_goes_by_its_key():
    topic, _, key, partition, headers = write(Producer(5))
    assert (topic, key, partition, headers["x-origin-partition"]) == ("t.g.dlq", b"k", -1, b"5")


def test_another_refusal_is_raised():
    with pytest.raises(KafkaException):
        write(Producer(5, code=KafkaError._TIMED_OUT))
