"""Add a note of staff to an order."""

from typing import Annotated

from pydantic import StringConstraints

from libs.access.caller import Caller
from libs.values.schema import StrictModel, validated
from libs.values.text import Note as NoteText
from order_service.domain.errors import CustomerDeleted
from order_service.store.order_tables import notes

MAX_NOTE_LENGTH = 2000


class Note(StrictModel):
    """Lines of plain text."""

    text: Annotated[NoteText, StringConstraints(max_length=MAX_NOTE_LENGTH)]


def add_note(*, caller: Caller, order_id: str, text: str) -> None:
    """Add a note to an order, for staff only: 1 to 2000 characters, line breaks and tabs among them.

    Raises NotAllowed, UnknownOrder, CustomerDeleted, Invalid.
    """
    caller.require("staff")
    note = validated(Note, {"text": text.replace("\r\n", "\n")})  # a browser's form sends CRLF
    if not notes.add(order_id, note.text, author_id=caller.user_id, author_name=caller.username):
        raise CustomerDeleted
