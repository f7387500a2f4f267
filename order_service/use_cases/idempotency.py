"""One order for one Idempotency-Key, however often and however fast a client sends it.

The key's row is the first of the order's transaction and holds the answer: both are there, or neither, whatever is killed. A second
request meets the row (the same answer again), or its lock (409, at once). Any other answer than 201 rolls the row back.
After draft-ietf-httpapi-idempotency-key-header, "Idempotency Enforcement Scenarios".
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

import orjson
from django.db import IntegrityError, OperationalError, transaction

from order_service.domain.errors import KeyInFlight, KeyReused
from order_service.store.models import IdempotencyKey, now

KEPT = timedelta(hours=24)
BUSY = (1205, 1213, 3572)  # lock wait timeout (MariaDB's NOWAIT too), deadlock, MySQL's NOWAIT

Answer = dict[str, Any]


@dataclass(frozen=True)
class KeyedRequest:
    """A customer's request with its key; `body` is as JSON knows it."""

    user_id: str
    key: str
    body: Any

    @property
    def body_hash(self) -> str:
        """The same for bodies that say the same."""
        return sha256(orjson.dumps(self.body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def answer_once(request: KeyedRequest, work: Callable[[], Answer]) -> Answer:
    """What `work` returns, stored in the transaction of its changes; or what it returned to an earlier request.

    Raises KeyReused, KeyInFlight, and what `work` raises.
    """
    if known := _find(request):
        return _check(known, request)
    try:
        with transaction.atomic():
            claimed = _claim(request)
            answer = work()
            claimed.response = orjson.dumps(answer).decode()
            claimed.save(update_fields=["response"])
    except IntegrityError:  # another request was answered since we looked
        if known := _find(request):
            return _check(known, request)
        raise
    return answer


def _find(request: KeyedRequest) -> IdempotencyKey | None:
    own = IdempotencyKey.objects.filter(user_id=request.user_id, key=request.key)
    return own.filter(created_at__gt=now() - KEPT).first()


def _check(known: IdempotencyKey, request: KeyedRequest) -> Answer:
    if known.body_hash != request.body_hash:
        raise KeyReused
    answer: Answer = orjson.loads(known.response)
    return answer


def _claim(request: KeyedRequest) -> IdempotencyKey:
    """The row of this request, locked. Raises KeyInFlight, and IntegrityError when there is one by now."""
    own = IdempotencyKey.objects.filter(user_id=request.user_id, key=request.key)
    columns = {"body_hash": request.body_hash, "created_at": now()}
    try:
        # Fails at once where an insert would wait for the other's commit; takes away a row that nobody is answered from any more.
        for old in own.select_for_update(nowait=True).filter(created_at__lte=now() - KEPT):
            old.delete()
        return IdempotencyKey.objects.create(user_id=request.user_id, key=request.key, **columns)
    except OperationalError as error:
        if error.args[0] in BUSY:
            raise KeyInFlight from None
        raise
