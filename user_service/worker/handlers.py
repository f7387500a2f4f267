"""The handler of each consumed event: read the event, call one use case."""

from collections.abc import Mapping
from functools import partial

from libs.messaging.brokers import Brokers
from libs.messaging.consumer import EventConsumer
from libs.messaging.envelope import Event
from libs.messaging.handler_pool import Handler
from libs.mongo_store.connection import UNAVAILABLE_ERRORS
from user_service.events.consumed import UserLinkRequested, UserResendRequested
from user_service.events.topics import GROUP
from user_service.store.mail_limits import MailLimits
from user_service.use_cases.reissue_link import reissue_link
from user_service.use_cases.resend_account import resend_account


def on_link_requested(event: Event, *, limits: MailLimits) -> None:
    """Request a mail with a new link, if it is still needed. Raises MalformedEvent."""
    link = event.read(UserLinkRequested)
    event.require_key(link.user_id)
    reissue_link(user_id=link.user_id, kind=link.kind, event_id=link.event_id, limits=limits)


def on_resend_requested(event: Event) -> None:
    """Publish the account again. Raises MalformedEvent."""
    account = event.read(UserResendRequested)
    event.require_key(account.user_id)
    resend_account(user_id=account.user_id)


def make_handlers(limits: MailLimits) -> Mapping[str, Mapping[str, Handler]]:
    """The handlers of each group by topic."""
    return {
        GROUP: {
            UserLinkRequested.topic: partial(on_link_requested, limits=limits),
            UserResendRequested.topic: on_resend_requested,
        }
    }


def make_consumers(brokers: Brokers, limits: MailLimits) -> list[EventConsumer]:
    """A member of each group."""
    return [
        EventConsumer(brokers, group, handlers, unavailable=UNAVAILABLE_ERRORS)
        for group, handlers in make_handlers(limits).items()
    ]
