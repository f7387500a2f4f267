"""Each group has a handler and a dead-letter topic for each of its topics."""

from order_service.events.topics import GROUPS, topics
from order_service.worker.handlers import HANDLERS


def test_every_topic_of_a_group_has_a_handler_and_dead_letters():
    assert {group: tuple(handlers) for group, handlers in HANDLERS.items()} == GROUPS
    for group, handlers in HANDLERS.items():
        assert {f"{topic}.{group}.dlq" for topic in handlers} <= set(topics())
