"""The shared meaning: the JSON Schema of each event, with its topic's settings. Read by every service; owned by none."""

from functools import cache
from pathlib import Path
from typing import Any

import orjson

EVENTS = Path(__file__).parent / "events"


@cache
def event_schema(topic: str) -> dict[str, Any]:
    """The JSON Schema of `topic`'s data, version 1. Raises FileNotFoundError for an unknown topic."""
    schema: dict[str, Any] = orjson.loads((EVENTS / f"{topic}.v1.json").read_bytes())
    return schema


def topic_settings(*topics: str) -> dict[str, dict[str, Any]]:
    """`{topic: {"partitions": int, "config": {name: text}}}`, as the schemas' `x-topic` says."""
    return {topic: event_schema(topic)["x-topic"] for topic in topics}
