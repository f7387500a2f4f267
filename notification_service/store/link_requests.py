"""Requests for new links: topic user-link-requested, which user_service answers."""

from confluent_kafka import KafkaException

from libs.messaging.failures import ServerUnavailable
from libs.messaging.kafka.brokers import Brokers
from libs.messaging.kafka.producer import Producer
from notification_service.events.published import UserLinkRequested
from notification_service.store.own_events import BY_KEY, OwnEvent


class LinkRequests:
    """Publishes requests. Each is acknowledged when `add` returns."""

    def __init__(self, brokers: Brokers) -> None:
        self._producer = Producer(brokers)

    def add(self, request: UserLinkRequested) -> None:
        """Publish a request. Raises ServerUnavailable when the broker does not acknowledge it within 10 s."""
        event = OwnEvent.of(request, request.user_id)
        try:
            self._producer.send(event.topic, event.value, event.key, partition=BY_KEY, headers=event.headers)
        except KafkaException as error:
            raise ServerUnavailable(f"Kafka takes no request for a link: {error.args[0].name()}") from None

    def close(self) -> None:
        """Wait at most 5 s for outstanding acknowledgements."""
        self._producer.close()
