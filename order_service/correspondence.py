"""What staff write about an order, and which mails and events they have sent again."""

from collections.abc import Sequence

from django.db import transaction

from chassis.auth import Caller
from order_service.errors import UnknownOrder
from order_service.models import Order, OrderNote, Outbox, OutboxDead, now


def add_note(*, caller: Caller, order_id: str, text: str) -> None:
    """Write down what staff tell each other about an order. Raises NotAllowed, UnknownOrder."""
    caller.require("staff")
    if not Order.objects.filter(id=order_id).exists():
        raise UnknownOrder
    author = f"staff:{caller.user_id}"
    OrderNote.objects.create(order_id=order_id, author=author, author_name=caller.username, text=text, at=now())


def request_mail(*, caller: Caller, order_id: str, kind: str) -> None:
    """Ask for a mail about an order once more. Raises NotAllowed, UnknownOrder."""
    caller.require("staff")
    if not Order.objects.filter(id=order_id).exists():
        raise UnknownOrder


def send_again(*, caller: Caller, event_ids: Sequence[str]) -> None:
    """Put dead events back into the outbox. Raises NotAllowed."""
    caller.require("staff")
    columns = ("event_id", "topic", "aggregate_id", "sequence", "payload", "headers", "created_at")
    with transaction.atomic():
        for row in OutboxDead.objects.filter(event_id__in=event_ids).values(*columns):
            Outbox.objects.create(**row)
            OutboxDead.objects.filter(event_id=row["event_id"]).delete()
