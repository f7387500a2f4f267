"""The accounts that order: whether each was deleted, and the address that its mails go to.

A transaction that stores personal data first holds the account's row by `hold`, and stores none when the account was deleted. The
deletion of an account first marks the row, which waits for these transactions, and then erases what they stored. So personal data
of a deleted account is never left, in whatever order its requests and its events come.
"""

import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from operator import attrgetter

from django.db import OperationalError, connection, transaction
from django.db.models import DateTimeField, F, Func, Q

from libs.django_store.connection import UTC_NOW
from libs.django_store.statements import fetch_all
from order_service.domain.customer import MailAddress
from order_service.events.published import UserResendRequested
from order_service.store.models import Customer
from order_service.store.outbox import outbox

# MariaDB does not know FOR SHARE. Both servers know this.
SHARED = """
SELECT user_id, deleted, email, email_verified, email_at FROM customers WHERE user_id IN %s ORDER BY user_id
LOCK IN SHARE MODE
"""
EXCLUSIVE = SHARED.replace("LOCK IN SHARE MODE", "FOR UPDATE")
# Locks the row exclusively when it is there: an INSERT IGNORE would lock it in share mode, and two of them would then deadlock.
ADD = """
INSERT INTO customers (user_id, deleted, asks, ask_at) VALUES (%s, 0, 0, IF(%s, UTC_TIMESTAMP(6), NULL))
ON DUPLICATE KEY UPDATE deleted = deleted
"""
KNOWN_TO_USER_SERVICE = re.compile("[0-9a-f]{24}")  # the desk's own accounts have other names
ERASE = """
INSERT INTO customers (user_id, deleted, asks) VALUES (%s, 1, 0)
ON DUPLICATE KEY UPDATE deleted = 1, email = NULL, email_verified = NULL, email_at = NULL, ask_at = NULL
"""
ASK_AGAIN_HOURS = 24
LOCK_WAIT_TIMEOUT = 1205
ATTEMPTS = 3  # of a second each: many orders of one account wait for each other
NEXT_ASK = Func(
    template=f"UTC_TIMESTAMP(6) + INTERVAL {ASK_AGAIN_HOURS} HOUR", function="", output_field=DateTimeField()
)


def hold(user_id: str, *, exclusively: bool = False) -> Customer:
    """The row of an account, added if it is missing, and locked by the caller's transaction: its deletion waits for that.

    `exclusively`: one transaction at a time holds it.
    """
    return hold_all([user_id], exclusively=exclusively)[user_id]


def hold_all(user_ids: Collection[str], *, exclusively: bool = False) -> dict[str, Customer]:
    """As `hold`, for several accounts, by id."""
    found = _lock(user_ids, exclusively)
    if missing := sorted(set(user_ids) - found.keys()):
        with connection.cursor() as cursor:
            for user_id in missing:
                cursor.execute(ADD, [user_id, bool(KNOWN_TO_USER_SERVICE.fullmatch(user_id))])
        found |= _lock(missing, exclusively)
    return found


def _lock(user_ids: Collection[str], exclusively: bool) -> dict[str, Customer]:
    for attempt in range(ATTEMPTS):
        try:
            return {row[0]: _row(*row) for row in fetch_all(EXCLUSIVE if exclusively else SHARED, [tuple(user_ids)])}
        except OperationalError as error:  # it ends the statement, and not the transaction
            if error.args[0] != LOCK_WAIT_TIMEOUT or attempt == ATTEMPTS - 1:
                raise
    return {}


def _row(user_id: str, deleted: int, email: str | None, verified: int | None, at: datetime | None) -> Customer:
    return Customer(
        user_id=user_id,
        deleted=bool(deleted),
        email=email,
        email_verified=None if verified is None else bool(verified),
        email_at=at and at.replace(tzinfo=UTC),
    )


def address_of(row: Customer) -> MailAddress | None:
    """The address of an account, None when it is not known."""
    return MailAddress(email=row.email, verified=row.email_verified, at=row.email_at) if row.email else None


def set_address(user_id: str, address: MailAddress) -> None:
    """Keep an account's address, unless a later one is known or the account was deleted.

    An account that never ordered has no row, and its address is not kept.
    """
    known = Customer.objects.filter(Q(email_at=None) | Q(email_at__lte=address.at), user_id=user_id, deleted=False)
    known.update(email=address.email, email_verified=address.verified, email_at=address.at, ask_at=None)


def mark_deleted(user_id: str) -> None:
    """Mark an account as deleted and erase its address. Waits for the transactions that hold the row."""
    with connection.cursor() as cursor:
        cursor.execute(ERASE, [user_id])


@transaction.atomic
def request_addresses(limit: int) -> Sequence[str]:
    """Ask user_service for up to `limit` addresses that are due; return the accounts. Without a reply it is asked daily.

    Several workers never ask for the same one.
    """
    due = Customer.objects.filter(ask_at__lte=UTC_NOW).order_by("ask_at").select_for_update(skip_locked=True)
    rows = list(due[:limit])
    for row in sorted(rows, key=attrgetter("user_id")):
        event = UserResendRequested(user_id=row.user_id)
        outbox.add([event], aggregate_id=row.user_id, first_sequence=row.asks + 1)
    user_ids = [row.user_id for row in rows]
    Customer.objects.filter(user_id__in=user_ids).update(ask_at=NEXT_ASK, asks=F("asks") + 1)
    return user_ids
