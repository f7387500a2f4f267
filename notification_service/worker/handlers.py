"""Which mail each event asks for. A handler reads an event and calls the use case.

A handler raises what libs.messaging.failures has: ServerUnavailable and TransientFailure to get the event again,
PermanentFailure and MalformedEvent to have it dead-lettered. When it returns, the SMTP server has the mail and the ledger has its
record, so the event's offset may be committed.
"""

from functools import partial
from typing import Protocol

from libs.messaging.envelope import Event
from libs.messaging.handlers import Handler
from notification_service.domain.mail_kinds import GENERAL_NOTICE, NOTICE_KINDS
from notification_service.events.consumed import (
    ORDER_TOPICS,
    MailResendRequested,
    OrderEvent,
    OrderRejected,
    UserMailRequested,
    UserNoticeRequested,
    UserRegistered,
)
from notification_service.use_cases.send_mail import MailSender

LINK_KINDS = {"reset": "password-reset", "verify": "verify-email"}


def on_user_registered(event: Event, send_mail: MailSender) -> None:
    """Send the welcome mail. The event's key is the user id."""
    user = event.read(UserRegistered)
    recipient, limited = user.email, user.email_verified is False
    send_mail(
        event, kind=event.type, recipient=recipient, user_id=event.subject, content=user.content(), limited=limited
    )


def on_mail_requested(event: Event, send_mail: MailSender) -> None:
    """Send the mail with a link that sets a password or verifies an address."""
    request = event.read(UserMailRequested)
    kind = LINK_KINDS[request.kind]
    recipient, content = request.email, request.content()
    send_mail(event, kind=kind, recipient=recipient, user_id=request.user_id, content=content, limited=False)


def on_notice_requested(event: Event, send_mail: MailSender) -> None:
    """Send the notice of a change of an account, in general words for a kind of a later version. It is never suppressed."""
    notice = event.read(UserNoticeRequested)
    kind = notice.kind if notice.kind in NOTICE_KINDS else GENERAL_NOTICE
    send_mail(event, kind=kind, recipient=notice.email, user_id=notice.user_id, content=notice.content(), limited=False)


def on_order_event(event: Event, send_mail: MailSender) -> None:
    """Send the mail of one step of an order."""
    order = event.read(OrderEvent)
    _send_step(event, order, event.type, send_mail)


def on_order_rejected(event: Event, send_mail: MailSender) -> None:
    """Send the mail of a rejected order."""
    order = event.read(OrderRejected)
    _send_step(event, order, event.type, send_mail)


def on_resend_requested(event: Event, send_mail: MailSender) -> None:
    """Send the mail of one step of an order again, with a Message-ID of its own."""
    order = event.read(MailResendRequested)
    _send_step(event, order, order.kind, send_mail)


def _send_step(event: Event, order: OrderEvent, kind: str, send_mail: MailSender) -> None:
    recipient, limited = order.user_email, order.email_verified is False
    send_mail(event, kind=kind, recipient=recipient, user_id=order.user_id, content=order.content(), limited=limited)


class MailHandler(Protocol):
    """Handles an event by calling `send_mail` once."""

    def __call__(self, event: Event, send_mail: MailSender) -> None: ...


HANDLERS: dict[str, MailHandler] = {
    UserRegistered.topic: on_user_registered,
    UserMailRequested.topic: on_mail_requested,
    UserNoticeRequested.topic: on_notice_requested,
    **dict.fromkeys(ORDER_TOPICS, on_order_event),
    OrderRejected.topic: on_order_rejected,
    MailResendRequested.topic: on_resend_requested,
}


def bind_handlers(send_mail: MailSender) -> dict[str, Handler]:
    """HANDLERS as the consumer and the replay of dead letters call them."""
    return {topic: partial(handle, send_mail=send_mail) for topic, handle in HANDLERS.items()}
