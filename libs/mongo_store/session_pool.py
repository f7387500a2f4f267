"""The pool of connections to MongoDB: it keeps those only that can have sessions.

The driver asks each new connection once what its server is. A connection that is made while the primary steps down may
learn that it is neither primary nor secondary. The driver then keeps it as one without sessions, for as long as it lives,
and every transaction on it fails with ConfigurationError.
"""

from typing import Any

from pymongo.errors import NotPrimaryError
from pymongo.monitoring import ConnectionClosedReason
from pymongo.synchronous.pool import Pool

NOT_PRIMARY_OR_SECONDARY = 13436


class SessionPool(Pool):
    """`MongoClient(_pool_class=SessionPool)`. The parameter is the driver's own, for libraries that build on it."""

    def connect(self, handler: Any = None) -> Any:
        """A new connection. Raises NotPrimaryError when its server is neither primary nor secondary.

        The driver then waits for the primary, and repeats what may be repeated.
        """
        made = super().connect(handler)
        if self.is_sdam or made.supports_sessions:  # the driver's own connection that watches the server needs none
            return made
        with self.lock:
            self.active_contexts.discard(made.cancel_context)
        made.close_conn(ConnectionClosedReason.ERROR)
        reason = "the server is neither primary nor secondary"
        raise NotPrimaryError(reason, {"ok": 0, "code": NOT_PRIMARY_OR_SECONDARY, "errmsg": reason})
