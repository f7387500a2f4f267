"""The set checks: what the databases hold is what the topics tell, in order, without gaps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from chaos.harness.topics import Record

USER_TOPICS = ("user-registered", "user-updated", "user-deleted", "user-mail-requested", "user-revocations")
PRODUCT_TOPICS = ("product-created", "product-updated", "product-deleted")
ORDER_TOPICS = tuple(f"order-{s}" for s in ("placed", "confirmed", "rejected", "shipped", "delivered", "cancelled"))
ORDER_TOPICS += ("mail-resend-requested",)  # counted among the order's events


def check_events(stored: Mapping[str, int], records: Sequence[Record]) -> None:
    """Each aggregate of `stored` (id → event counter) has exactly its events 1..n; no other aggregate has any."""
    told: dict[str, set[int]] = defaultdict(set)
    for record in records:
        told[record.subject].add(record.sequence)
    expected = {key: set(range(1, counter + 1)) for key, counter in stored.items()}
    lost = {key: sorted(numbers - told[key]) for key, numbers in expected.items() if numbers - told[key]}
    phantoms = {
        key: sorted(told[key] - expected.get(key, set())) for key in told if told[key] - expected.get(key, set())
    }
    assert not lost, f"{len(lost)} aggregates miss events: {dict(list(lost.items())[:5])}"
    assert not phantoms, (
        f"{len(phantoms)} aggregates have events of changes that never were: {dict(list(phantoms.items())[:5])}"
    )


def check_order(records: Sequence[Record]) -> None:
    """R4: within a topic and key the first copies of the events come in the order of their sequence."""
    seen: set[str] = set()
    last: dict[tuple[str, str], int] = {}
    for record in sorted(records, key=lambda r: (r.topic, r.partition, r.offset)):
        if record.event_id not in seen:
            seen.add(record.event_id)
            place = record.topic, record.subject
            assert record.sequence > last.get(place, 0), f"{place}: {record.sequence} came after {last[place]}"
            last[place] = record.sequence


def repeats(records: Sequence[Record]) -> int:
    """How many messages are copies of one that came before."""
    return len(records) - len({record.event_id for record in records})
