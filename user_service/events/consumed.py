"""The fields that user_service reads of other services' events."""

from typing import Annotated, ClassVar, Literal

from pydantic import StringConstraints

from libs.messaging.envelope import ConsumedData

UserId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{24}$")]


class UserLinkRequested(ConsumedData):
    """The dead letter of a mail with a link is replayed. `event_id` is that of its user-mail-requested."""

    topic: ClassVar[str] = "user-link-requested"
    user_id: UserId
    kind: Literal["reset", "verify"]
    event_id: Annotated[str, StringConstraints(pattern=r"^[0-9A-HJKMNP-TV-Z]{26}$")]


class UserResendRequested(ConsumedData):
    """order_service does not know the address of an account."""

    topic: ClassVar[str] = "user-resend-requested"
    user_id: UserId
