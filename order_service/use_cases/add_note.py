"""Add a note of staff to an order."""

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from libs.access.caller import Caller
from libs.values.schema import StrictModel, validated
from libs.values.text import Text
from libs.values.times import now
from order_service.domain.actor import Actor
from order_service.domain.errors import UnknownOrder
from order_service.store.models import Order, OrderNote

MAX_NOTE_LENGTH = 2000


def _refuse_tabs(text: str) -> str:
    if "\t" in text:
        raise ValueError("tabs are not allowed")
    return text


class Note(StrictModel):
    """Lines of plain text."""

    text: Annotated[Text, AfterValidator(_refuse_tabs), StringConstraints(min_length=1, max_length=MAX_NOTE_LENGTH)]


def add_note(*, caller: Caller, order_id: str, text: str) -> None:
    """Add a note to an order, for staff only: 1 to 2000 characters; the only control characters are line breaks.

    Raises NotAllowed, UnknownOrder, Invalid.
    """
    caller.require("staff")
    note = validated(Note, {"text": text.replace("\r\n", "\n")})  # a browser's form sends CRLF
    if not Order.objects.filter(id=order_id).exists():
        raise UnknownOrder
    author, name = str(Actor.staff(caller.user_id)), caller.username
    OrderNote.objects.create(order_id=order_id, author=author, author_name=name, text=note.text, at=now())
