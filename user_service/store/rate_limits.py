"""Rate limits, counted in MongoDB for all processes together; in memory while MongoDB takes no writes.

A moving window: of wrong logins, there are never more in any 15 minutes than the limit says. Account (as a hash) and address are
the key together, so that whoever guesses locks out nobody but themselves.
"""

import hashlib
import ipaddress
import time
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, MongoDBStorage
from limits.strategies import MovingWindowRateLimiter
from pymongo.errors import PyMongoError

from libs.mongo_store.connection import UNAVAILABLE_ERRORS, Db
from libs.runtime.logs import get_logger
from user_service.domain.errors import TooManyAttempts

log = get_logger(__name__)

T = TypeVar("T")


class _Storage(MongoDBStorage):
    """limits' own, on the service's own client: with its time limits, and without a second pool."""

    def __init__(self, db: Db) -> None:
        self._db = db
        super().__init__(
            "mongodb://", db.name, counter_collection_name="rate_counters", window_collection_name="rate_windows"
        )

    def _init_mongo_client(self, uri: str | None, **options: Any) -> Any:
        return self._db.client

    def __del__(self) -> None:
        """limits' own closes the client."""


class Limiter:
    """The limits by name, such as `{"login": "5/15 minutes"}`; `off` is no limit."""

    def __init__(self, db: Db, limits: Mapping[str, str]) -> None:
        self._limits = {name: None if text == "off" else parse(text) for name, text in limits.items()}
        self._shared = MovingWindowRateLimiter(_Storage(db))
        self._own = MovingWindowRateLimiter(MemoryStorage())

    def attempts(self, name: str, *, account: str = "", address: str | None = None) -> "Attempts":
        """The attempts under one limit, of one account from one address (None: from all of them together)."""
        key = (name, hashlib.sha256(account.encode()).hexdigest()[:32], _network(address) if address else "")
        return Attempts(self, self._limits[name], key)

    def ask(self, question: Callable[[MovingWindowRateLimiter], T]) -> T:
        """The answer by what all processes count. Raises what means that MongoDB is away: then nothing works anyway."""
        try:
            return question(self._shared)
        except UNAVAILABLE_ERRORS:
            raise
        except PyMongoError as error:
            log.warning("rate limits are counted in memory", error=type(error).__name__)
            return question(self._own)


class Attempts:
    """How often something was tried."""

    def __init__(self, limiter: Limiter, limit: RateLimitItem | None, key: tuple[str, ...]) -> None:
        self._limiter, self._limit, self._key = limiter, limit, key

    def take(self) -> bool:
        """Count one; False, and not counted, when there were as many as there may be."""
        limit, key = self._limit, self._key
        if limit is None:
            return True
        # the insert of a first entry that loses a race looks like a full window, so look whether it is one
        return self._limiter.ask(lambda by: by.hit(limit, *key) or (by.test(limit, *key) and by.hit(limit, *key)))

    def count(self) -> None:
        """As `take`, but raises TooManyAttempts."""
        if not self.take():
            self._refuse()

    def check(self) -> None:
        """Raise TooManyAttempts when one more would be too many; count nothing."""
        limit, key = self._limit, self._key
        if limit and not self._limiter.ask(lambda by: by.test(limit, *key)):
            self._refuse()

    def forget(self) -> None:
        """It worked: all is forgiven."""
        limit, key = self._limit, self._key
        if limit:
            self._limiter.ask(lambda by: by.clear(limit, *key))

    def _refuse(self) -> NoReturn:
        limit, key = self._limit, self._key
        assert limit
        raise TooManyAttempts(self._limiter.ask(lambda by: by.get_window_stats(limit, *key)).reset_time - time.time())


def _network(address: str) -> str:
    """The address; of IPv6 the /64, which is what one customer of a provider has."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return str(ip) if ip.version == 4 else str(ipaddress.ip_network((ip, 64), strict=False).network_address)
