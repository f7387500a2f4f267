"""What became of a mail about an order."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMail:
    """The mail of an event. `outcome`: `sent`, or `suppressed` when no mail went out. `trace_id`: of the work that it ends."""

    event_id: str
    kind: str
    order_id: str
    sent_at: datetime
    outcome: str
    trace_id: str = ""
