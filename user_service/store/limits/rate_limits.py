"""Rate limits, counted in MongoDB for all processes together. While MongoDB takes no writes, each process counts in memory.

The window moves: in no period of 15 minutes are there more wrong logins than the limit allows. Account (as a hash) and address
form the key together. So a client that guesses passwords locks out itself, and not the owner at another address.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, MongoDBStorage
from limits.strategies import MovingWindowRateLimiter
from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern

from libs.mongo_store.connection import Db, is_unavailable
from libs.runtime.logs import get_logger
from libs.values.client_address import network_of
from user_service.domain.errors import TooManyAttempts
from user_service.domain.user import User

log = get_logger(__name__)

T = TypeVar("T")


class _Storage(MongoDBStorage):
    """The storage of `limits` on the service's own client: with its time limits, and without a second connection pool."""

    def __init__(self, db: Db) -> None:
        self._db = db
        super().__init__(
            "mongodb://", db.name, counter_collection_name="rate_counters", window_collection_name="rate_windows"
        )

    def _init_mongo_client(self, uri: str | None, **options: Any) -> Any:
        return self._db.client

    @property
    def windows(self) -> Any:
        """The collection of `limits`. A write does not wait for MongoDB's journal (docs/adr/0066)."""
        return super().windows.with_options(write_concern=WriteConcern(w=1, j=False))

    def clear(self, key: str) -> None:
        """Delete the entries of a key. `limits` also deletes the key's counter, which moving windows do not have."""
        self.windows.delete_one({"_id": key})

    def __del__(self) -> None:
        """Keep the client open. The storage of `limits` closes it."""


class Limiter:
    """The limits by name, such as `{"login": "5/15 minutes"}`. `off` is no limit."""

    def __init__(self, db: Db, limits: Mapping[str, str]) -> None:
        self._limits = {name: None if text == "off" else parse(text) for name, text in limits.items()}
        self._shared = MovingWindowRateLimiter(_Storage(db))
        self._local = MovingWindowRateLimiter(MemoryStorage())

    def limit(self, name: str, *, account: str = "", client_address: str | None = None) -> "RateLimit":
        """A limit for one account from one client address. Without `client_address` it counts all addresses together."""
        key = (
            name,
            hashlib.sha256(account.encode()).hexdigest()[:32],
            network_of(client_address) if client_address else "",
        )
        return RateLimit(self, self._limits[name], key)

    def apply(self, operation: Callable[[MovingWindowRateLimiter], T]) -> T:
        """The result of an operation on the shared counts. Raises what `is_unavailable` finds: without MongoDB no request works."""
        try:
            return operation(self._shared)
        except PyMongoError as error:
            if is_unavailable(error):
                raise
            log.warning("rate limits counted in memory", error=type(error).__name__)
            return operation(self._local)


class RateLimit:
    """The attempts under one limit and one key. The methods are named as in `limits`."""

    def __init__(self, limiter: Limiter, item: RateLimitItem | None, key: tuple[str, ...]) -> None:
        self._limiter, self._item, self.key = limiter, item, key

    def hit(self) -> bool:
        """Count an attempt. False when the limit is reached. Such an attempt is not counted."""
        item, key = self._item, self.key
        if item is None:
            return True
        # a first entry that loses a race between two inserts is reported like a reached limit, so `test` decides which it is
        return self._limiter.apply(lambda by: by.hit(item, *key) or (by.test(item, *key) and by.hit(item, *key)))

    def enforce_hit(self) -> None:
        """Count an attempt. Raises TooManyAttempts when the limit is reached."""
        if not self.hit():
            self._refuse()

    def enforce(self) -> None:
        """Raise TooManyAttempts when the limit is reached. Counts nothing."""
        item, key = self._item, self.key
        if item and not self._limiter.apply(lambda by: by.test(item, *key)):
            self._refuse()

    def clear(self) -> None:
        """Set the count to zero, after an attempt that succeeded."""
        item, key = self._item, self.key
        if item:
            self._limiter.apply(lambda by: by.clear(item, *key))

    def _refuse(self) -> NoReturn:
        item, key = self._item, self.key
        assert item
        reset_at = self._limiter.apply(lambda by: by.get_window_stats(item, *key)).reset_time
        raise TooManyAttempts(reset_at - time.time())


class Attempt:
    """One attempt under one or several limits. It counts once, however often a use case is repeated."""

    def __init__(self) -> None:
        self._limits: dict[tuple[str, ...], RateLimit] = {}

    def count(self, limit: RateLimit) -> None:
        """Count the attempt under a limit. Raises TooManyAttempts when it is reached."""
        if limit.key not in self._limits:
            limit.enforce_hit()
            self._limits[limit.key] = limit

    def succeed(self) -> None:
        """Set the counts to zero. Call it after the transaction: until then, another request may have used the same code."""
        for limit in self._limits.values():
            limit.clear()


class LoginLimits:
    """The limits of logins and of other checks of a password or a code, from one client address.

    Wrong passwords count by account and address, wrong codes by account from all addresses, failed logins by address for all
    accounts. An account counts by its id, so another e-mail address sets no count to zero.
    """

    def __init__(self, limiter: Limiter, *, client_address: str, is_desk: Callable[[str], bool]) -> None:
        """`is_desk` is true for a client address that the desk calls from."""
        self._limiter, self.client_address, self._is_desk = limiter, client_address, is_desk
        self._failures = limiter.limit("failures", client_address=client_address)

    def password(self, user: User | None, email_key: str = "") -> RateLimit:
        """The limit of wrong passwords. An address without an account counts by its key."""
        return self._limiter.limit("login", account=user.id if user else email_key, client_address=self.client_address)

    def code(self, user: User) -> RateLimit:
        """The limit of wrong codes."""
        return self._limiter.limit("code", account=user.id)

    def enforce_address(self, user: User | None) -> None:
        """Raise TooManyAttempts when too many logins from this address failed, unless the account knows the address.

        Staff get in from the desk's address too, because the logins of all browsers at the desk come from there.
        """
        try:
            self._failures.enforce()  # for every account, so that the time of an answer shows nothing
        except TooManyAttempts:
            is_known = user and user.knows_client_address(self.client_address)
            is_staff_at_desk = user and user.roles and self._is_desk(self.client_address)
            if not (is_known or is_staff_at_desk):
                raise

    def count_failure(self) -> None:
        """Count a failed login from this address."""
        self._failures.hit()
