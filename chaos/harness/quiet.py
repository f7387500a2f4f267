"""Quiet: nothing is on its way any more, so that what is read now is final."""

from __future__ import annotations

from confluent_kafka import KafkaException

from chaos.harness.stores import Stores
from chaos.harness.topics import Topics
from chaos.harness.waiting import wait_until


def wait_quiet(stores: Stores, topics: Topics, seconds: float = 90) -> float:
    """Wait until all outboxes are empty, no group lags, no order is pending and no mail is parked; return the seconds it took."""

    def unrest() -> dict[str, int]:
        counts = {f"outbox of {name}": count for name, count in stores.outbox().items()}
        try:
            counts |= {f"lag of {group}": count for group, count in topics.lag().items()}
        except KafkaException as error:
            counts[f"broker does not answer: {error.args[0].name()}"] = 1
        counts |= {
            "pending orders": stores.pending(),
            "open cancellations": stores.open_cancellations(),
            "parked mails": topics.parked(),
        }
        return {name: count for name, count in counts.items() if count}

    # Twice, for an event between outbox and topic, or between handler and commit, could hide from one look.
    return wait_until(lambda: not unrest() and not unrest(), seconds, unrest, every=0.2)
