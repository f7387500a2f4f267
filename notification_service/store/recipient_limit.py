"""How many mails an address that was never verified gets. The window moves: the limit holds in every period of its length.

The counts are in memory. A process reads those of before from the ledger, whose records name the recipient by a keyed hash. Each
member of the group counts what it sends and what it read.
"""

import hashlib
import hmac
import threading
import time
from collections import OrderedDict

from libs.values.email_address import mailbox_key

MAX_RECIPIENTS = 100_000


class RecipientLimit:
    """Counts mails by recipient. Safe to use from several threads."""

    def __init__(self, key: bytes, limit: tuple[int, float] | None) -> None:
        """`key`: of the hashes. `limit`: a number of mails and a period in seconds. None: no limit."""
        self._key, self._limit = key, limit
        self._mails = OrderedDict[str, dict[str, float]]()  # of each recipient: event ids and times, the newest last
        self._lock = threading.Lock()

    def key_of(self, recipient: str) -> str:
        """The hash that stands for a mailbox. The case of the letters and a tag behind a plus sign do not count."""
        return hmac.new(self._key, b"recipient:" + mailbox_key(recipient).encode(), hashlib.sha256).hexdigest()[:32]

    def take(self, recipient: str, event_id: str) -> bool:
        """Count the mail of an event. False: the recipient had its mails. An event counts once, however often it is tried."""
        if self._limit is None:
            return True
        now, (number, _) = time.time(), self._limit
        with self._lock:
            mails = self._recent(recipient, now)
            if event_id not in mails and len(mails) >= number:
                return False
            mails.setdefault(event_id, now)
            return True

    def wait(self, recipient: str) -> float:
        """Seconds until the recipient's oldest mail counts no more."""
        now, (_, period) = time.time(), self._limit or (0, 0.0)
        with self._lock:
            return min(self._recent(recipient, now).values(), default=now - period) + period - now

    def restore(self, recipient: str, event_id: str, at: float) -> None:
        """Count a mail that was sent `at` this time (seconds since the epoch)."""
        if self._limit and at > time.time() - self._limit[1]:
            with self._lock:
                self._recent(recipient, time.time()).setdefault(event_id, at)

    def _recent(self, recipient: str, now: float) -> dict[str, float]:
        """The mails within the period. The recipient that had none for the longest time makes room for a new one."""
        oldest = now - (self._limit or (0, 0.0))[1]
        mails = {event_id: at for event_id, at in self._mails.pop(recipient, {}).items() if at > oldest}
        self._mails[recipient] = mails
        if len(self._mails) > MAX_RECIPIENTS:
            self._mails.popitem(last=False)
        return mails
