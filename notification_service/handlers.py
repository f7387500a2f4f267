"""Which event is mailed how. A handler is a route's twin: an event in, one mail out.

It raises what messaging.consumer asks for: ServerAway or RetryLater to be called again with the same event, Refused or
MalformedEvent for a dead letter. When it returns, the SMTP server has the mail, the ledger knows, and the event's offset may be
committed.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from messaging.consumer import Handler
from messaging.envelope import Event, rfc3339
from notification_service.events import MailSent, OrderStep, UserRegistered
from notification_service.ledger import Ledger
from notification_service.mailer import Mailer
from notification_service.mails import Composer, Mail


def welcome_user(event: Event, composer: Composer) -> Mail:
    """The welcome mail."""
    user = event.read(UserRegistered)
    return composer.compose(event.type, event_id=event.id, to=user.email, values={"username": user.username})


def tell_order_step(event: Event, composer: Composer) -> Mail:
    """The mail of one step of an order."""
    order = event.read(OrderStep)
    return composer.compose(event.type, event_id=event.id, to=order.user_email, values=order.model_dump())


def bind_handlers(composer: Composer, mailer: Mailer, ledger: Ledger) -> dict[str, Handler]:
    """HANDLERS as the consumer calls them: each mail is sent as soon as it is composed, once."""

    def send(compose: Callable[[Event, Composer], Mail], event: Event) -> MailSent:
        mail = compose(event, composer)
        mailer.send(mail)
        return MailSent(kind=mail.kind, order_id=mail.order_id, sent_at=rfc3339(datetime.now(UTC)))

    def handle(compose: Callable[[Event, Composer], Mail], event: Event) -> None:
        ledger.once(event, partial(send, compose, event))

    return {topic: partial(handle, compose) for topic, compose in HANDLERS.items()}


HANDLERS: dict[str, Callable[[Event, Composer], Mail]] = {
    "user-registered": welcome_user,
    "order-placed": tell_order_step,
    "order-confirmed": tell_order_step,
    "order-rejected": tell_order_step,
    "order-shipped": tell_order_step,
    "order-delivered": tell_order_step,
    "order-cancelled": tell_order_step,
}
