"""Requests for new links: topic user-link-requested, which user_service answers."""

import orjson
from confluent_kafka import KafkaException

from libs.messaging.brokers import Brokers
from libs.messaging.envelope import new_row
from libs.messaging.failures import ServerUnavailable
from libs.messaging.producer import Producer
from notification_service.events.published import UserLinkRequested

ANY_PARTITION = -1  # by the key, which is the account's id


class LinkRequests:
    """Publishes requests. Each is acknowledged when `add` returns."""

    def __init__(self, brokers: Brokers) -> None:
        self._producer = Producer(brokers)

    def add(self, request: UserLinkRequested) -> None:
        """Publish a request. Raises ServerUnavailable when the broker does not acknowledge it within 10 s."""
        row = new_row(request, source="notification_service", aggregate_id=request.user_id, sequence=0)
        headers = {name: text for name, text in orjson.loads(row.headers).items() if name != "ce_sequence"}
        try:
            self._producer.send(
                row.topic, row.payload.encode(), request.user_id.encode(), partition=ANY_PARTITION, headers=headers
            )
        except KafkaException as error:
            raise ServerUnavailable(f"Kafka takes no request for a link: {error.args[0].name()}") from None

    def close(self) -> None:
        """Wait at most 5 s for outstanding acknowledgements."""
        self._producer.close()
