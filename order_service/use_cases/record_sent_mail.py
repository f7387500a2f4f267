"""Record what became of a mail about an order."""

from datetime import datetime

from libs.runtime import trace_context
from order_service.store.models import SentMail


def record_sent_mail(*, event_id: str, kind: str, order_id: str, sent_at: datetime, outcome: str) -> None:
    """Record the mail of an event, with the trace of this work. A repeated call changes nothing.

    `outcome`: `sent`, or `suppressed` when no mail went out.
    """
    context = trace_context.current()
    trace_id = context.trace_id if context else ""
    mail = SentMail(
        event_id=event_id, kind=kind, order_id=order_id, sent_at=sent_at, outcome=outcome, trace_id=trace_id
    )
    SentMail.objects.bulk_create([mail], update_conflicts=True, update_fields=["sent_at", "outcome"])
