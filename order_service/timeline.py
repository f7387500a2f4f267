"""What happened to an order, in one list: for the desk."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from order_service.models import OrderChange, OrderNote


@dataclass(frozen=True)
class Entry:
    """One thing that happened, when, and by whom."""

    at: datetime
    kind: Literal["change", "event", "mail", "request", "note"]
    title: str
    detail: str
    who: str


def read_timeline(order_id: str) -> list[Entry]:
    """Changes and notes of an order, oldest first. Two queries."""
    entries = [
        Entry(c.at, "change", f"{c.from_status or 'placed'} → {c.to_status}", c.reason or "", c.actor)
        for c in OrderChange.objects.filter(order_id=order_id)
    ]
    entries += [Entry(n.at, "note", "Note", n.text, n.author_name) for n in OrderNote.objects.filter(order_id=order_id)]
    return sorted(entries, key=lambda entry: entry.at)
