"""What the desk writes about an order and has sent: notes, mails once more, events that Kafka refused; and which mails went out.

None of it changes an order's status, so none of it is an OrderChange. A mail is sent again by an event of its own, with an id of
its own: notification_service mails each event once, and the one of the step was mailed.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated

from django.db import transaction
from pydantic import AfterValidator, StringConstraints

from libs.access.caller import Caller
from libs.values.schema import StrictModel, validated
from libs.values.text import Text
from order_service.domain.errors import CustomerGone, StepNotTaken, UnknownOrder
from order_service.events.published import EVENT_OF, MailResendRequested, OrderPlaced
from order_service.store.models import (
    MailRequest,
    Order,
    OrderChange,
    OrderNote,
    OutboxDead,
    RawOrder,
    SentMail,
    Status,
    now,
)
from order_service.store.orders import read_order
from order_service.store.outbox import requeue, store_event

NOTE_LENGTH = 2000
STATUS_OF = {event.topic: status for status, event in EVENT_OF.items()}
"""Each kind of mail is named by the event of a step, and each step by the status it led to."""


def request_mail(*, caller: Caller, order_id: str, kind: str) -> None:
    """Have the mail of a step of the order sent again, by staff; `kind` is the step's topic, such as `order-shipped`.

    The mail says what it said then. Raises NotAllowed, UnknownOrder, CustomerGone, StepNotTaken.
    """
    caller.require("staff")
    # A turn of the loop is lost when another event of the order came first, or the account went meanwhile.
    while order := read_order(order_id):
        if not order["user_email"]:
            raise CustomerGone
        step = OrderChange.objects.filter(order_id=order_id, to_status=STATUS_OF.get(kind, "")).first()
        if step is None:
            raise StepNotTaken
        if _try_request(order, step, kind, f"staff:{caller.user_id}"):
            return
    raise UnknownOrder


@transaction.atomic
def _try_request(order: RawOrder, step: OrderChange, kind: str, actor: str) -> bool:
    """Raise the event counter in one guarded statement, and store request and event; False when the order has changed meanwhile."""
    unchanged = Order.objects.filter(id=order["id"], sequence=order["sequence"], user_email=order["user_email"])
    sequence = order["sequence"] + 1
    if not unchanged.update(sequence=sequence):
        return False
    then = order | {"status": step.to_status, "reason": step.reason, "updated_at": step.at}
    event = MailResendRequested.of(then, step.from_status, kind=kind)
    row = store_event(event, sequence)
    MailRequest.objects.create(event_id=row.event_id, order_id=order["id"], kind=kind, actor=actor, at=now())
    return True


def _refuse_tabs(text: str) -> str:
    if "\t" in text:
        raise ValueError("tabs are not allowed")
    return text


class Note(StrictModel):
    """What staff may write: some lines of plain text."""

    text: Annotated[Text, AfterValidator(_refuse_tabs), StringConstraints(min_length=1, max_length=NOTE_LENGTH)]


def add_note(*, caller: Caller, order_id: str, text: str) -> None:
    """Leave a note on an order, for staff alone: 1 to 2000 characters, of the control characters line breaks only.

    Raises NotAllowed, UnknownOrder, Invalid.
    """
    caller.require("staff")
    note = validated(Note, {"text": text.replace("\r\n", "\n")})  # a browser's form sends CRLF
    if not Order.objects.filter(id=order_id).exists():
        raise UnknownOrder
    author, name = f"staff:{caller.user_id}", caller.username
    OrderNote.objects.create(order_id=order_id, author=author, author_name=name, text=note.text, at=now())


def send_again(*, caller: Caller, event_ids: Collection[str]) -> int:
    """Have events published that Kafka refused, by staff; return how many of them wait for the relay now. Raises NotAllowed.

    The question of an order that is decided stays where it is: nobody waits for the answer, and product_service, which forgets
    what it closed after sixty days, might set stock aside once more.
    """
    caller.require("staff")
    dead = OutboxDead.objects.filter(event_id__in=event_ids, topic=OrderPlaced.topic)
    questions = dict(dead.values_list("aggregate_id", "event_id"))
    decided = Order.objects.filter(id__in=questions).exclude(status=Status.PENDING)
    return requeue(set(event_ids) - {questions[order] for order in decided.values_list("id", flat=True)})


def keep_sent_mail(*, event_id: str, kind: str, order_id: str, sent_at: datetime) -> None:
    """Keep that the mail of an event about an order went out; again without harm."""
    mail = SentMail(event_id=event_id, kind=kind, order_id=order_id, sent_at=sent_at)
    SentMail.objects.bulk_create([mail], update_conflicts=True, update_fields=["sent_at"])
