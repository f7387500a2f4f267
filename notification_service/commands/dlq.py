"""`python -m notification_service dlq`: dead letters and their replay."""

from collections.abc import Mapping

from libs.messaging.dlq_command import run_dlq
from libs.messaging.handlers import Handler
from libs.messaging.kafka.brokers import Brokers
from notification_service.events.consumed import UserMailRequested
from notification_service.events.topics import GROUP
from notification_service.store.accounts import AccountView
from notification_service.store.ledger_reader import LedgerReader
from notification_service.store.link_requests import LinkRequests
from notification_service.use_cases.request_link import RequestLink


def dlq(
    brokers: Brokers,
    arguments: list[str],
    *,
    handlers: Mapping[str, Handler],
    ledger: LedgerReader,
    accounts: AccountView,
    links: LinkRequests,
) -> int:
    """Run the command and return its exit status. A replay sends a mail unless the ledger has its record.

    The dead letter of a mail with a link has no link. Its replay requests a new one from user_service.
    """
    if "replay" in arguments:
        accounts.load()
        ledger.load()
    request_link = RequestLink(accounts=accounts, links=links)
    return run_dlq(brokers, {GROUP: {**handlers, UserMailRequested.topic: request_link}}, arguments)
