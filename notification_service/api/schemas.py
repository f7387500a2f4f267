"""JSON bodies and query strings that come in."""

from typing import Literal

from libs.values.schema import StrictModel, StrictQuery
from notification_service.api.sample_data import Size
from notification_service.domain.recipient import Recipient


class TestMail(StrictModel):
    to: Recipient | None = None


class SampleOptions(StrictQuery):
    """The content of the mails."""

    sample: Size = "usual"


class PreviewOptions(SampleOptions):
    """The content of a mail, and the colours of its HTML part: those that the reader's program prefers, or always these."""

    scheme: Literal["light", "dark"] | None = None
