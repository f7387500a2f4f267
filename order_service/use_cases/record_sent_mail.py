"""Record what became of a mail about an order."""

from datetime import datetime

from order_service.store.models import SentMail


def record_sent_mail(*, event_id: str, kind: str, order_id: str, sent_at: datetime, outcome: str) -> None:
    """Record the mail of an event. A repeated call changes nothing. `outcome`: `sent`, or `suppressed` when no mail went out."""
    mail = SentMail(event_id=event_id, kind=kind, order_id=order_id, sent_at=sent_at, outcome=outcome)
    SentMail.objects.bulk_create([mail], update_conflicts=True, update_fields=["sent_at", "outcome"])
