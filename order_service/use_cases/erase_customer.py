"""Erase the personal data of a deleted account."""

from django.contrib.auth.models import User

from order_service.domain.actor import Actor
from order_service.store import dead_events, idempotency_keys
from order_service.store.models import Order, OrderNote

BATCH_SIZE = 500  # orders per statement: each has two seconds


def erase_customer(*, user_id: str) -> None:
    """Erase a deleted account from its orders, and close its desk account. A repeated call changes nothing.

    The orders stay. Staff's notes on them are deleted, because they may contain personal data.
    """
    username = f"gone-{user_id}"
    erased_fields = {"user_email": "", "username": username, "shipping_address": None}
    known = Order.objects.filter(user_id=user_id).exclude(username=username)
    while ids := list(known.values_list("id", flat=True)[:BATCH_SIZE]):
        OrderNote.objects.filter(order_id__in=ids).delete()
        dead_events.erase_customer(ids, username)
        Order.objects.filter(id__in=ids).update(**erased_fields)  # last: `known` finds the orders that are left by it
    OrderNote.objects.filter(author=str(Actor.staff(user_id))).update(author_name="")
    idempotency_keys.delete_of(user_id)
    User.objects.filter(username=user_id).update(email="", first_name="", is_active=False, is_staff=False)
