"""The story of an order, from the lines of the services' logs and the events in Kafka."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from deploy.log_lines import LogLine
from deploy.observe.order_events import OrderEvent

MEANINGS = {
    "order-placed": "the customer has ordered",
    "stock-reserved": "the goods are reserved",
    "stock-rejected": "stock can't fill the order",
    "order-confirmed": "the order is confirmed",
    "order-rejected": "the order is rejected",
    "order-cancelled": "the order is cancelled",
    "order-shipped": "the order is on its way",
    "order-delivered": "the order has arrived",
    "mail-resend-requested": "staff request a mail again",
    "mail-sent": "a mail is recorded",
}
DECISIONS = ("order-confirmed", "order-rejected", "order-cancelled")


class Step(NamedTuple):
    """One thing that happened, where, and its words."""

    at: datetime
    process: str
    text: str
    event: str
    topic: str


def steps_of(lines: Iterable[LogLine], events: Sequence[OrderEvent]) -> list[Step]:
    """The steps of an order in the order of their times. An event in Kafka is added when no line of a log has it."""
    known = list(lines)
    places = {(line.text("topic"), line.fields.get("partition"), line.fields.get("offset")) for line in known}
    dead = {line.text("event_id") for line in known if line.event == "dead letter written"}
    steps = [step for line in known for step in _step_of(line)]
    for event in events:
        is_dead = event.topic.endswith(".dlq")
        if (event.topic, event.partition, event.offset) not in places and not (is_dead and event.event_id in dead):
            what = "dead letter" if is_dead else MEANINGS.get(event.topic, "an event")
            place = f"{event.topic}/{event.partition} at {event.offset}"
            steps.append(
                Step(
                    event.at, event.source.removesuffix("_service"), f"{place}: {what}", "event published", event.topic
                )
            )
    return sorted(steps, key=lambda step: step.at)


def write_story(steps: Sequence[Step]) -> Iterator[str]:
    """The lines to print: each step with the seconds since the first, and how long the decision and the mails took."""
    begin = steps[0].at
    for step in steps:
        yield f"{_seconds(begin, step.at):>10}  {step.process:<14}  {step.text}"
    decided = next((step for step in steps if step.event == "event published" and step.topic in DECISIONS), None)
    mails = [step for step in steps if step.event == "mail sent"]
    yield ""
    yield f"decided after {_seconds(begin, decided.at)}" if decided else "not decided yet"
    yield f"{len(mails)} mail{'' if len(mails) == 1 else 's'}" + (
        f", the last after {_seconds(begin, mails[-1].at)}" if mails else ""
    )


def _step_of(line: LogLine) -> Iterator[Step]:
    try:
        at = datetime.fromisoformat(line.at)
    except ValueError:
        return
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    yield Step(at, line.process, _words(line), line.event, line.text("topic"))


def _words(line: LogLine) -> str:
    fields, topic = line.fields, line.text("topic")
    match line.event:
        case "request":
            return f"{fields.get('method')} {fields.get('route')} → {fields.get('status')} in {fields.get('ms')} ms"
        case "event published":
            place = f"{topic}/{fields.get('partition')} at {fields.get('offset')}"
            return f"{place}: {MEANINGS.get(topic, 'an event')} ({fields.get('lag_ms')} ms after it was stored)"
        case "event handled":
            tries = f"attempt {fields.get('attempts')}, {fields.get('lag_ms')} ms after it was stored"
            return f"{topic} handled in {fields.get('ms')} ms ({tries})"
        case "event not handled yet":
            why = f"{fields.get('reason')}, attempt {fields.get('attempts')}"
            return f"{topic} not handled yet: {why}, the next one in {fields.get('wait_seconds')} s"
        case "dead letter written":
            return f"{topic} is a dead letter: {fields.get('reason')} (attempt {fields.get('attempts')})"
        case "mail sent":
            return f"mail {fields.get('kind')} sent"
    rest = {name: value for name, value in fields.items() if name in ("kind", "reason", "state", "wait_seconds")}
    return " ".join([line.event, *(f"{name}={value}" for name, value in rest.items())])


def _seconds(begin: datetime, at: datetime) -> str:
    return f"{(at - begin).total_seconds():.3f} s"
