"""The forms of an order's page. Use cases make the changes and check them."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from order_service.domain.order_status import BY_STAFF, Status
from order_service.use_cases.orders.add_note import MAX_NOTE_LENGTH


class StatusForm(forms.Form):
    """A button that sets the next status."""

    status = forms.ChoiceField(choices=[(status.value, status.label) for status in sorted(BY_STAFF)])

    @property
    def chosen(self) -> Status:
        """The status of a valid form."""
        return Status(self.cleaned_data["status"])


class LinesField(forms.CharField):
    """Text of several lines. A browser sends two characters for each line break, and counts one."""

    def to_python(self, value: Any) -> str:
        """The text with line feeds."""
        return str(super().to_python(value)).replace("\r\n", "\n")


class NoteForm(forms.Form):
    """A note of staff about an order."""

    text = LinesField(
        label="Note",
        max_length=MAX_NOTE_LENGTH,
        widget=UnfoldAdminTextareaWidget({"rows": 3}),
        help_text="Only staff see it.",
    )


class MailForm(forms.Form):
    """The mail of the order to resend."""

    kind = forms.ChoiceField(label="Mail", widget=UnfoldAdminSelectWidget)

    def __init__(self, data: object = None, *, kinds: list[tuple[str, str]]) -> None:
        super().__init__(data)  # type: ignore[arg-type]  # a QueryDict or None
        self.fields["kind"].choices = kinds  # type: ignore[attr-defined]
