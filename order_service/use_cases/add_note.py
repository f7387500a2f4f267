"""Add a note of staff to an order."""

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from libs.access.caller import Caller
from libs.values.schema import StrictModel, validated
from libs.values.text import Text
from order_service.domain.errors import CustomerDeleted
from order_service.store import notes

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

    Raises NotAllowed, UnknownOrder, CustomerDeleted, Invalid.
    """
    caller.require("staff")
    note = validated(Note, {"text": text.replace("\r\n", "\n")})  # a browser's form sends CRLF
    if not notes.add(order_id, note.text, author_id=caller.user_id, author_name=caller.username):
        raise CustomerDeleted
