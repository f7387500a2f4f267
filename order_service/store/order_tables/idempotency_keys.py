"""Idempotency-Keys: their rows, locks and retention. A key's row holds the response that it was stored with."""

from collections.abc import Collection

from django.db import OperationalError

from libs.values.idempotency import KEY_RETENTION, KeyInFlight
from libs.values.times import now
from order_service.store.models import IdempotencyKey

BATCH_SIZE = 500  # rows per statement: a larger one would hold locks, and exceed the time limit of a statement
LOCK_ERRORS = (1205, 1213, 3572)  # lock wait timeout (MariaDB's NOWAIT too), deadlock, MySQL's NOWAIT


def find(user_id: str, route: str, key: str) -> IdempotencyKey | None:
    """The row of a user's key for a route, unless it is older than KEY_RETENTION."""
    own = IdempotencyKey.objects.filter(user_id=user_id, route=route, key=key)
    return own.filter(created_at__gt=now() - KEY_RETENTION).first()


def claim(*, user_id: str, route: str, key: str, body_hash: str, order_id: str | None) -> IdempotencyKey:
    """A new row, locked by the caller's transaction and without a response yet. `order_id`: of the order that the route names.

    Raises KeyInFlight while another transaction has it locked, and IntegrityError when another one has committed it.
    """
    own = IdempotencyKey.objects.filter(user_id=user_id, route=route, key=key)
    try:
        # Fails at once, where an insert would wait for the other transaction. Deletes a row that is older than KEY_RETENTION.
        for old in own.select_for_update(nowait=True).filter(created_at__lte=now() - KEY_RETENTION):
            old.delete()
        return IdempotencyKey.objects.create(
            user_id=user_id, route=route, key=key, order_id=order_id, body_hash=body_hash, created_at=now()
        )
    except OperationalError as error:
        if error.args[0] in LOCK_ERRORS:
            raise KeyInFlight from None
        raise


def save_response(claimed: IdempotencyKey, response: str) -> None:
    """Complete a claimed row with the response, as JSON text."""
    claimed.response = response
    claimed.save(update_fields=["response"])


def delete_of(user_id: str) -> None:
    """Delete all keys of a user: their responses may hold addresses."""
    IdempotencyKey.objects.filter(user_id=user_id).delete()


def delete_of_orders(order_ids: Collection[str]) -> None:
    """Delete the keys of all users whose routes name these orders: their responses may hold addresses."""
    IdempotencyKey.objects.filter(order_id__in=order_ids).delete()


def purge() -> int:
    """Delete rows that are older than KEY_RETENTION, at most BATCH_SIZE; return their number."""
    old = IdempotencyKey.objects.filter(created_at__lte=now() - KEY_RETENTION).order_by("created_at")
    removed, _ = IdempotencyKey.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:BATCH_SIZE])).delete()
    return removed
