"""Which event is mailed how. A handler is a route's twin: an event in, one mail out.

It raises what libs.messaging.consumer asks for: ServerUnavailable or RetryLater to be called again with the same event, Refused or
MalformedEvent for a dead letter. When it returns, the SMTP server has the mail, the ledger knows, and the event's offset may be
committed.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from libs.messaging.envelope import Event
from libs.messaging.handler_pool import Handler
from libs.runtime.logs import get_logger
from libs.values.times import rfc3339
from notification_service.domain.mail import Mail
from notification_service.events.consumed import MailResendRequested, OrderStep, UserMailRequested, UserRegistered
from notification_service.events.published import MailSent
from notification_service.rendering.composer import Composer
from notification_service.smtp.mailer import Mailer
from notification_service.store.accounts import AccountView
from notification_service.store.mail_ledger import Ledger

log = get_logger(__name__)

Compose = Callable[[Event, Composer], Mail | None]
LINKS = {"reset": "password-reset", "verify": "verify-email"}


def welcome_user(event: Event, composer: Composer) -> Mail:
    """The welcome mail."""
    user = event.read(UserRegistered)
    return composer.compose(event.type, event_id=event.id, to=user.email, values={"username": user.username})


def send_link(event: Event, composer: Composer) -> Mail | None:
    """The mail with a link that sets a password or verifies an address; none when it would be of no use any more."""
    wanted = event.read(UserMailRequested)
    if wanted.expires_at < datetime.now(UTC):
        return None
    expires = wanted.expires_at.astimezone(UTC).strftime("%d %B %Y, %H:%M UTC")
    values = {"username": wanted.username, "token": wanted.token, "expires": expires}
    return composer.compose(LINKS[wanted.kind], event_id=event.id, to=wanted.email, values=values)


def tell_order_step(event: Event, composer: Composer) -> Mail | None:
    """The mail of one step of an order; none to an account that is gone."""
    order = event.read(OrderStep)
    if order.user_email is None:
        return None
    return composer.compose(event.type, event_id=event.id, to=order.user_email, values=order.model_dump())


def tell_again(event: Event, composer: Composer) -> Mail | None:
    """The mail of a step that was mailed before, as it was but for its Message-ID; none to an account that is gone."""
    order = event.read(MailResendRequested)
    if order.user_email is None:
        return None
    return composer.compose(order.kind, event_id=event.id, to=order.user_email, values=order.model_dump())


def bind_handlers(composer: Composer, mailer: Mailer, ledger: Ledger, accounts: AccountView) -> dict[str, Handler]:
    """HANDLERS as the consumer calls them: each mail is sent as soon as it is composed, once, to accounts that are there."""

    def send(mail: Mail) -> MailSent:
        mailer.send(mail)
        return MailSent(kind=mail.kind, order_id=mail.order_id, sent_at=rfc3339(datetime.now(UTC)))

    def handle(compose: Compose, event: Event) -> None:
        mail = compose(event, composer)
        if mail is None or accounts.is_gone(event):
            log.info("mailed to nobody")
        else:
            ledger.once(event, partial(send, mail))

    return {topic: partial(handle, compose) for topic, compose in HANDLERS.items()}


HANDLERS: dict[str, Compose] = {
    "user-registered": welcome_user,
    "user-mail-requested": send_link,
    "order-placed": tell_order_step,
    "order-confirmed": tell_order_step,
    "order-rejected": tell_order_step,
    "order-shipped": tell_order_step,
    "order-delivered": tell_order_step,
    "order-cancelled": tell_order_step,
    "mail-resend-requested": tell_again,
}
