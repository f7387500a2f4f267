"""Add a note of staff to an order."""

from typing import Annotated

from pydantic import StringConstraints

from libs.access.caller import Caller
from libs.values.schema import StrictModel, validated
from libs.values.text import Note as NoteText
from libs.values.times import now
from order_service.domain.actor import Actor
from order_service.domain.errors import UnknownOrder
from order_service.store.models import Order, OrderNote

MAX_NOTE_LENGTH = 2000


class Note(StrictModel):
    """Lines of plain text."""

    text: Annotated[NoteText, StringConstraints(max_length=MAX_NOTE_LENGTH)]


def add_note(*, caller: Caller, order_id: str, text: str) -> None:
    """Add a note to an order, for staff only: 1 to 2000 characters, line breaks and tabs among them.

    Raises NotAllowed, UnknownOrder, Invalid.
    """
    caller.require("staff")
    note = validated(Note, {"text": text})
    if not Order.objects.filter(id=order_id).exists():
        raise UnknownOrder
    author, name = str(Actor.staff(caller.user_id)), caller.username
    OrderNote.objects.create(order_id=order_id, author=author, author_name=name, text=note.text, at=now())
