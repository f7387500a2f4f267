"""Whether a broker answers, asked of a real one."""

from libs.messaging.kafka.clients import broker_answers
from tests.free_ports import pick_free


def test_a_broker_that_runs_answers(kafka):
    assert broker_answers(kafka)


def test_a_port_without_a_broker_does_not_answer():
    [port] = pick_free(1)
    assert not broker_answers(f"127.0.0.1:{port}")
