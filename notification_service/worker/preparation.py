"""What has to be read before a member sends mails of partitions that it got."""

from confluent_kafka import KafkaException

from libs.runtime.logs import get_logger
from notification_service.store.accounts import AccountView
from notification_service.store.ledger_reader import LedgerReader
from notification_service.store.parked_mails import ParkedMails

log = get_logger(__name__)

Ends = dict[tuple[str, int], int]


class Preparation:
    """One for each assignment. Call it until it returns true."""

    def __init__(self, accounts: AccountView, parked: ParkedMails, ledger: LedgerReader) -> None:
        self._accounts, self._parked, self._ledger = accounts, parked, ledger
        self._ends: tuple[Ends, Ends] | None = None

    def __call__(self) -> bool:
        """True once accounts, parked mails and the ledger are read to the ends that they had at the first call."""
        try:
            self._ends = self._ends or (self._parked.ends(), self._ledger.ends())
        except KafkaException as error:
            log.warning("ends of topics not read", error=str(error.args[0]))
            return False
        parked, ledger = self._ends
        return self._accounts.is_complete and self._parked.has_read(parked) and self._ledger.has_read(ledger)
