"""The handler of each consumed event: read the event, call one use case."""

from collections.abc import Mapping
from functools import partial

from libs.messaging.consumer.batch_consumer import BatchConsumer
from libs.messaging.consumer.batches import in_turn, weigh_full
from libs.messaging.envelope import Event
from libs.messaging.handlers import Handler
from libs.messaging.kafka.brokers import Brokers
from libs.mongo_store.connection import Db
from libs.mongo_store.failures import MongoFailures
from user_service.events.consumed import UserLinkRequested, UserResendRequested
from user_service.events.topics import GROUP
from user_service.store.limits.mail_limits import MailLimits
from user_service.use_cases.accounts.reissue_link import reissue_link
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


def make_consumers(brokers: Brokers, db: Db, limits: MailLimits) -> list[BatchConsumer]:
    """A member of each group. These events are few, and each is a transaction of its own."""
    return [
        BatchConsumer(brokers, group, list(handlers), in_turn(handlers), failures=MongoFailures(db), weigh=weigh_full)
        for group, handlers in make_handlers(limits).items()
    ]
