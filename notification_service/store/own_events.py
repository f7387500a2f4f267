"""Events of this service itself. They belong to no aggregate, so they have no sequence, and Kafka places them by their key."""

from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
from ulid import ULID

from libs.messaging.envelope import EventData
from libs.runtime.telemetry.trace_context import TRACEPARENT, current_or_new
from libs.values.times import rfc3339

BY_KEY = -1  # the partition: the client chooses one of those that the topic has now


@dataclass(frozen=True, slots=True)
class OwnEvent:
    """An event as a message: its topic, value, key and headers."""

    topic: str
    value: bytes
    key: bytes
    headers: dict[str, str]

    @classmethod
    def of(cls, data: EventData, key: str) -> "OwnEvent":
        """The message of `data`, with a new event id, in the trace of this thread's work."""
        headers = {"ce_specversion": "1.0", "ce_id": str(ULID()), "ce_type": data.topic}
        headers |= {"ce_source": "notification_service", "ce_time": rfc3339(datetime.now(UTC)), "ce_subject": key}
        headers |= {"content-type": "application/json", TRACEPARENT: current_or_new().traceparent}
        return cls(data.topic, orjson.dumps(data.model_dump(mode="json", by_alias=True)), key.encode(), headers)
