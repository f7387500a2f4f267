"""Each group hears its topics, and all that goes wrong for good has a place to go."""

from order_service.events.topics import GROUPS, topics
from order_service.worker.handlers import HANDLERS


def test_every_topic_of_a_group_has_a_handler_and_dead_letters():
    assert {group: tuple(handlers) for group, handlers in HANDLERS.items()} == GROUPS
    for group, handlers in HANDLERS.items():
        assert {f"{topic}.{group}.dlq" for topic in handlers} <= set(topics())
