"""Record that a mail about an order was sent."""

from datetime import datetime

from order_service.store.models import SentMail


def record_sent_mail(*, event_id: str, kind: str, order_id: str, sent_at: datetime) -> None:
    """Record the mail of an event. A repeated call changes nothing."""
    mail = SentMail(event_id=event_id, kind=kind, order_id=order_id, sent_at=sent_at)
    SentMail.objects.bulk_create([mail], update_conflicts=True, update_fields=["sent_at"])
