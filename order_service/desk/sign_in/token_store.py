"""The tokens of staff logins, kept in the database and renewed when the access token expires.

A pair has a row of its own, and only `renew` changes it, under a row lock. Django stores a session at the end of each request as
the request read it. With the pair in the session, one of two concurrent requests would restore the pair that the other one has
exchanged. A refresh token that is used again after REFRESH_GRACE ends the login (docs/adr/0038, docs/adr/0026).

The tokens are encrypted, because a reader of the database could act for the staff member. Rows of an earlier release are plain.
They end after MAX_AGE, or `rotate-encryption` encrypts them.
"""

import secrets
import time
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import OperationalError, transaction
from django.utils import timezone

from libs.access.encryption import UndecryptableText
from libs.runtime.logs import get_logger
from libs.values.errors import Unavailable
from order_service.desk.models import StaffTokens
from order_service.desk.sign_in import user_service
from order_service.desk.sign_in.user_service import LoginRefused, TokenPair

log = get_logger(__name__)

MAX_AGE = timedelta(hours=8)  # a working day; a session of the desk lasts as long
EXCHANGE_SECONDS = 1.0  # with less time left no exchange starts: its response would probably be lost
LOCK_WAIT_TIMEOUT = 1205  # MySQL's ER_LOCK_WAIT_TIMEOUT, after innodb_lock_wait_timeout


class LoginEnded(Exception):
    """The login behind a session of the desk has ended. The staff member has to sign in again."""


def add(tokens: TokenPair, *, user_id: str = "") -> str:
    """Store a pair of an account and return its key. In the transaction that holds the account: a deletion finds the pair."""
    key = secrets.token_hex(20)
    expires_at = timezone.now() + MAX_AGE
    StaffTokens.objects.create(key=key, user_id=user_id, **_columns(tokens), expires_at=expires_at)
    return key


def read(key: str) -> TokenPair:
    """The pair as it is now. Raises LoginEnded when it is deleted."""
    return _pair(StaffTokens.objects.filter(pk=key).first())


def renew(key: str, *, refused: str, until: float) -> TokenPair:
    """The pair that follows the one with the access token `refused`, exchanged by this request or by a concurrent one.

    `until` is the deadline by time.monotonic(). Raises LoginEnded, and Unavailable when user_service does not respond to this
    request or to the concurrent one. After an exchange whose response is lost, the next one gets the same pair for REFRESH_GRACE.
    Later it ends the login, because user_service takes the use for a theft.
    """
    try:
        with transaction.atomic():
            kept = _pair(StaffTokens.objects.select_for_update().filter(pk=key).first())
            if kept.access != refused:
                return kept
            if until - time.monotonic() < EXCHANGE_SECONDS:
                raise Unavailable(user_service.NO_RESPONSE)
            new = user_service.renew(refresh=kept.refresh, until=until)
            StaffTokens.objects.filter(pk=key).update(**_columns(new))
            return new
    except LoginRefused:
        raise LoginEnded from None
    except OperationalError as error:
        if error.args[:1] != (LOCK_WAIT_TIMEOUT,):
            raise
        log.warning("tokens not renewed: a concurrent request holds the lock")
        raise Unavailable(user_service.NO_RESPONSE) from error


def remove(key: str) -> TokenPair | None:
    """Delete a pair and return it, or None when there is none."""
    row = StaffTokens.objects.filter(pk=key).first()
    if row is None:
        return None
    try:
        row.delete()
    except OperationalError as error:  # a concurrent request renews it; the retention deletes it later
        if error.args[:1] != (LOCK_WAIT_TIMEOUT,):
            raise
    try:
        return _pair(row)
    except LoginEnded:
        return None


class Rotation(NamedTuple):
    """How many rows were encrypted with the first key now, and how many can't be read."""

    encrypted: int
    unreadable: int


def rotate() -> Rotation:
    """Encrypt the rows that are plain, or that an older key has encrypted. Rows that can't be read stay as they are."""
    encrypted = unreadable = 0
    for key in list(StaffTokens.objects.values_list("pk", flat=True)):
        with transaction.atomic():
            # a row that is locked is renewed now, and so it is encrypted
            row = StaffTokens.objects.select_for_update(skip_locked=True).filter(pk=key).first()
            if row is None or all(map(settings.ENCRYPTION.is_current, filter(None, (row.access, row.refresh)))):
                continue
            try:
                StaffTokens.objects.filter(pk=key).update(**_columns(_pair(row)))
            except LoginEnded:
                unreadable += 1
            else:
                encrypted += 1
    return Rotation(encrypted, unreadable)


def _columns(tokens: TokenPair) -> dict[str, str | None]:
    """The encrypted columns of a pair."""
    encrypt = settings.ENCRYPTION.encrypt
    return {"access": encrypt(tokens.access), "refresh": encrypt(tokens.refresh) if tokens.refresh else None}


def _pair(row: StaffTokens | None) -> TokenPair:
    """The tokens of a row. Raises LoginEnded without a row, and for a row whose key is lost."""
    if row is None:
        raise LoginEnded
    decrypt = settings.ENCRYPTION.decrypt
    try:
        return TokenPair(decrypt(row.access), decrypt(row.refresh) if row.refresh else None)
    except UndecryptableText:
        raise LoginEnded from None
