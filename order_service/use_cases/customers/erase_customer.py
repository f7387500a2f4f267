"""Erase the personal data of a deleted account."""

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.apps import apps
from django.contrib.auth.models import User

from libs.values.email_address import email_key
from order_service.domain.actor import Actor
from order_service.store import customers, personal_data
from order_service.store.models import Order, OrderNote
from order_service.store.order_tables import idempotency_keys

BATCH_SIZE = 500  # orders per statement: each has two seconds


def erase_customer(*, user_id: str) -> None:
    """Erase a deleted account from all tables, and close its desk account. A repeated call changes nothing.

    The orders stay. Staff's notes on them are deleted, because they may contain personal data.
    """
    customers.mark_deleted(user_id)  # first: from now on no transaction stores personal data of the account
    last = ""
    while ids := _next_orders(user_id, last):
        personal_data.erase_orders(user_id, ids)
        last = ids[-1]
    OrderNote.objects.filter(author=str(Actor.staff(user_id))).update(author_name="")
    idempotency_keys.delete_of(user_id)
    _erase_staff(user_id)


def _erase_staff(user_id: str) -> None:
    """Close the account's place at the desk: its tokens, its failed sign-ins, and the address and name in its row."""
    apps.get_model("desk.StaffTokens").objects.filter(user_id=user_id).delete()
    for address in User.objects.filter(username=user_id).exclude(email="").values_list("email", flat=True):
        for table in (AccessAttempt, AccessFailureLog, AccessLog):
            table.objects.filter(username__in={address, email_key(address)}).delete()
    User.objects.filter(username=user_id).update(email="", first_name="", is_active=False, is_staff=False)


def hold_account(*, user_id: str) -> bool:
    """Hold an account in the caller's transaction, so that its erasure waits. Return False when it is deleted."""
    return not customers.hold(user_id).deleted


def _next_orders(user_id: str, after: str) -> list[str]:
    """The ids of the next batch of an account's orders, by id."""
    orders = Order.objects.filter(user_id=user_id, id__gt=after).order_by("id")
    return list(orders.values_list("id", flat=True)[:BATCH_SIZE])
