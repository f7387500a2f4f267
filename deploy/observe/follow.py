"""`make follow ORDER=id`: the whole story of an order, across the services."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from ulid import ULID

from deploy.local.console import say
from deploy.local.errors import LocalError, NotReady
from deploy.local.stack import Stack
from deploy.observe.logs import past_lines, read_filter
from deploy.observe.order_events import OrderEvent, read_order_events
from deploy.observe.story import steps_of, write_story

LATEST = datetime(3000, 1, 1, tzinfo=UTC)
CLOCKS = timedelta(minutes=1)  # by which the clocks of the services and of Kafka may differ


def follow(stack: Stack, arguments: Sequence[str]) -> None:
    """Print the story of the order in ORDER=id. Raises LocalError without it, and when nothing is known about it."""
    wanted = read_filter(arguments)
    if not wanted.order or len(arguments) != 1:
        raise LocalError("name an order: make follow ORDER=id")
    lines = [chosen for line in past_lines(stack.state, wanted.processes) for chosen in wanted.choose(line)]
    steps = steps_of(lines, _events(stack, wanted.order))
    if not steps:
        raise LocalError(f"neither the logs nor Kafka know the order {wanted.order}")
    for text in write_story(steps):
        say(text)
    if trace := next(filter(None, (line.text("trace_id") for line in lines)), ""):
        page = stack.settings.values.get("TRACE_URL", "").replace("{traceId}", trace)
        say(f"trace {trace}  {page or f'make logs TRACE={trace}'}")


def placed_at(order_id: str) -> datetime:
    """The time in an order's id, at most LATEST: an id may hold years that a datetime cannot."""
    return datetime.fromtimestamp(min(ULID.from_str(order_id).timestamp, LATEST.timestamp()), UTC)


def _events(stack: Stack, order_id: str) -> list[OrderEvent]:
    try:
        return read_order_events(stack.settings.get("KAFKA_BROKERS"), order_id, placed_at(order_id) - CLOCKS)
    except NotReady as error:
        say(f"  {error}: this is what the logs have")
        return []
