"""Record what became of mails about orders."""

from collections.abc import Iterable
from dataclasses import asdict

from order_service.domain.sent_mail import SentMail
from order_service.store import models


def record_sent_mails(mails: Iterable[SentMail]) -> None:
    """Record the mails of events by one statement. A repeated call changes nothing. Of several of an event the last counts."""
    latest = {mail.event_id: mail for mail in mails}
    rows = [models.SentMail(**asdict(latest[event_id])) for event_id in sorted(latest)]
    models.SentMail.objects.bulk_create(rows, update_conflicts=True, update_fields=["sent_at", "outcome"])
