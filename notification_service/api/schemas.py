"""JSON bodies and query strings that come in."""

from typing import Annotated, Literal

from pydantic import BeforeValidator

from libs.values.schema import StrictModel, StrictQuery
from notification_service.api.sample_data import Size
from notification_service.domain.recipient import Recipient


def _trim(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


AnyRecipient = Annotated[Recipient, BeforeValidator(_trim)]
"""An address. White space around it does not count, as at registration."""


class TestMail(StrictModel):
    to: AnyRecipient | None = None


class OwnAddress(StrictModel):
    """The address of the caller, in the form in which mails are sent."""

    to: AnyRecipient


class SampleOptions(StrictQuery):
    """The content of the mails."""

    sample: Size = "usual"


class PreviewOptions(SampleOptions):
    """The content of a mail, and the colours of its HTML part: those that the reader's program prefers, or always these."""

    scheme: Literal["light", "dark"] | None = None
