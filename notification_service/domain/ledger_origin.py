"""Where the ledger of sent mails began."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerOrigin:
    """The id that Kafka gave the ledger's topic, and since when the ledger has every mail, in ms since the epoch.

    A topic that was lost and made again has another id.
    """

    topic_id: str
    begun: int
