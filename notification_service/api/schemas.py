"""JSON bodies and query strings that come in."""

from typing import Annotated, Literal

from pydantic import Field

from libs.values.schema import StrictModel, StrictQuery
from notification_service.api.sample_data import Size
from notification_service.domain.mail_kinds import KINDS
from notification_service.domain.recipient import Recipient


class TestMail(StrictModel):
    to: Recipient | None = None


class PreviewOptions(StrictQuery):
    """How a mail is shown."""

    sample: Size = "usual"
    scheme: Literal["light", "dark"] = "light"


class PageOptions(PreviewOptions):
    """What the page shows. The JSON list contains every kind with both parts."""

    kind: Annotated[str, Field(max_length=64)] = next(iter(KINDS))
    part: Literal["html", "text"] = "html"
    width: Literal["desktop", "phone"] = "desktop"
