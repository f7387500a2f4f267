"""Dead letters of mails that the consumer group no longer has in flight."""

from collections.abc import Mapping

from confluent_kafka import KafkaException, Message

from libs.messaging import event_metrics
from libs.messaging.dead_letters import write_dead_letter
from libs.messaging.failures import ServerUnavailable
from libs.messaging.kafka.brokers import Brokers
from libs.messaging.kafka.producer import Producer
from notification_service.events.topics import GROUP, SECRET_TOPICS


class DeadLetters:
    """Writes dead letters of the service's group."""

    def __init__(self, brokers: Brokers, kept: Mapping[str, Mapping[str, str]] = SECRET_TOPICS) -> None:
        """`kept`: the fields that dead letters of topics with secret data keep."""
        self._producer, self._kept = Producer(brokers), kept

    def close(self) -> None:
        """Close the producer. Kafka has acknowledged every dead letter by then."""
        self._producer.close()

    def write(self, message: Message, *, reason: str, attempts: int, reason_class: str = "failed") -> None:
        """Write the dead letter of an event. `reason_class`: one of DEAD_REASONS.

        Raises ServerUnavailable when the broker does not acknowledge it.
        """
        kept = self._kept.get(str(message.topic()))
        try:
            write_dead_letter(self._producer, GROUP, message, reason=reason, attempts=attempts, kept=kept)
            event_metrics.count(str(message.topic()), "dead", reason_class)
        except KafkaException as error:
            raise ServerUnavailable(f"Kafka takes no dead letter: {error.args[0].name()}") from None
