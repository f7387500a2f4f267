"""The timeline of an order for the desk: its changes, events, mails, requests and notes in one list.

They are in six tables, and the names of staff are in a seventh. Each is queried once, by an index.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import orjson
from django.contrib.auth.models import User

from libs.runtime.telemetry import trace_context
from libs.runtime.telemetry.trace_context import TRACEPARENT
from order_service.domain.actor import SAGA
from order_service.domain.order_status import Status
from order_service.store.models import MailRequest, OrderChange, OrderNote, Outbox, OutboxDead, SentMail

CUSTOMER, SHOP = "customer", "the shop"
OUTCOMES = {"suppressed": "No mail went out: the address is not verified and has got as many mails as it may."}
"""What staff have to know about an outcome of a mail."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, in words. `detail` and `who` may be empty. The `detail` of a note may have line breaks.

    `status`: of a change, the status that the order got by it. `trace_id`: of a mail or an event, its trace.
    """

    at: datetime
    kind: Literal["change", "event", "mail", "request", "note"]
    title: str
    detail: str = ""
    who: str = ""
    status: Status | None = None
    trace_id: str = ""


def read_timeline(order_id: str) -> list[Entry]:
    """The timeline of an order, oldest first; empty when there is no such order."""
    changes = list(OrderChange.objects.filter(order_id=order_id))
    requests = list(MailRequest.objects.filter(order_id=order_id).order_by("event_id"))
    names = _read_names({row.actor for row in changes} | {row.actor for row in requests})
    entries = [_change_entry(row, names) for row in changes]
    entries += [
        Entry(row.at, "request", f"Mail resend requested: {row.kind}", who=names[row.actor]) for row in requests
    ]
    entries += _read_events(order_id)
    requested = {row.event_id for row in requests}
    for mail in SentMail.objects.filter(order_id=order_id).order_by("event_id"):
        again = " again" if mail.event_id in requested else ""
        title, detail = f"Mail {mail.outcome}{again}: {mail.kind}", OUTCOMES.get(mail.outcome, "")
        entries.append(Entry(mail.sent_at, "mail", title, detail, trace_id=mail.trace_id))
    for note in OrderNote.objects.filter(order_id=order_id):
        entries.append(Entry(note.at, "note", "Note", note.text, note.author_name or note.author))
    return sorted(entries, key=lambda entry: entry.at)  # stable: entries of the same time keep this order


def _change_entry(row: OrderChange, names: dict[str, str]) -> Entry:
    detail = f"from {row.from_status}" if row.from_status else ""
    if row.reason:
        detail += f": {row.reason.replace('_', ' ')}"
    title = row.to_status.capitalize() if row.from_status else "Placed"
    return Entry(row.at, "change", title, detail, names[row.actor], Status(row.to_status))


def _read_events(order_id: str) -> Iterator[Entry]:
    """The events that are not published: pending ones, and those that Kafka refused."""
    waiting = Outbox.objects.filter(aggregate_id=order_id).order_by("sequence")
    for topic, event_id, at, headers in waiting.values_list("topic", "event_id", "created_at", "headers"):
        yield Entry(at, "event", f"{topic} waits for Kafka", f"event {event_id}", trace_id=_trace_in(headers))
    refused = OutboxDead.objects.filter(aggregate_id=order_id).order_by("sequence")
    for topic, event_id, at, reason, headers in refused.values_list(
        "topic", "event_id", "died_at", "reason", "headers"
    ):
        detail = f"event {event_id}: {reason}"
        yield Entry(at, "event", f"{topic} was refused by Kafka", detail, trace_id=_trace_in(headers))


def _trace_in(headers: str) -> str:
    """The trace of an event with these headers; empty for one of an earlier version."""
    context = trace_context.parse(str(orjson.loads(headers).get(TRACEPARENT, "")))
    return context.trace_id if context else ""


def _read_names(actors: set[str]) -> dict[str, str]:
    """The name of each actor. Staff without a desk account keep their id."""
    names = {actor: actor for actor in actors}
    ids = {actor.removeprefix("staff:") for actor in actors if actor.startswith("staff:")}
    if ids:
        known = User.objects.filter(username__in=ids).values_list("username", "first_name")
        names |= {f"staff:{user_id}": name for user_id, name in known if name}
    named = {actor: CUSTOMER for actor in actors if actor.startswith("customer:")}
    return names | named | {str(SAGA): SHOP}
