"""The events that services share: the JSON Schema of each event, with the settings of its topic. No service owns them.

A schema refers to the definitions in definitions.json by `$ref`. `event_schema` bundles both, so a reader needs one schema only.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypedDict

import orjson

EVENTS = Path(__file__).parent / "events"
DEFINITIONS = Path(__file__).parent / "definitions.json"


class TopicSettings(TypedDict):
    """The `x-topic` of a schema: the number of partitions, and Kafka's settings as text."""

    partitions: int
    config: dict[str, str]


@cache
def event_schema(topic: str) -> dict[str, Any]:
    """The bundled JSON Schema of `topic`'s data, version 1. Raises FileNotFoundError for an unknown topic."""
    schema: dict[str, Any] = orjson.loads((EVENTS / f"{topic}.v1.json").read_bytes())
    bundled: dict[str, Any] = bundle(schema, orjson.loads(DEFINITIONS.read_bytes())["$defs"])
    return bundled


def bundle(node: Any, definitions: Mapping[str, Any]) -> Any:
    """`node` of a schema with each `$ref` replaced by its definition.

    What stands beside a `$ref` narrows the definition: `properties` and `required` are added, other keywords replace its own.
    """
    if isinstance(node, list):
        return [bundle(child, definitions) for child in node]
    if not isinstance(node, dict):
        return node
    own = {name: bundle(child, definitions) for name, child in node.items() if name != "$ref"}
    if "$ref" not in node:
        return own
    shared = bundle(definitions[node["$ref"].rpartition("/")[2]], definitions)
    merged = {
        "properties": shared.get("properties", {}) | own.get("properties", {}),
        "required": shared.get("required", []) + own.get("required", []),
    }
    return shared | own | {name: value for name, value in merged.items() if value}


def contracted_topics() -> list[str]:
    """The names of all topics that have a schema."""
    return sorted(path.name.removesuffix(".v1.json") for path in EVENTS.iterdir())


def topic_settings(*topics: str) -> dict[str, TopicSettings]:
    """The settings of these topics."""
    return {topic: event_schema(topic)["x-topic"] for topic in topics}
