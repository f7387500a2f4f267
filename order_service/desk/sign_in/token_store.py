"""The tokens of staff logins, kept in the database and renewed when the access token expires.

A pair has a row of its own, and only `renew` changes it, under a row lock. Django stores a session at the end of each request as
the request read it. With the pair in the session, one of two concurrent requests would restore the pair that the other one has
exchanged. A refresh token that is used twice ends the login (docs/adr/0021, docs/adr/0026).
"""

import secrets
import time
from datetime import timedelta

from django.db import OperationalError, transaction
from django.utils import timezone

from libs.runtime.logs import get_logger
from libs.values.errors import Unavailable
from order_service.desk.models import StaffTokens
from order_service.desk.sign_in import user_service
from order_service.desk.sign_in.user_service import LoginRefused, TokenPair

log = get_logger(__name__)

MAX_AGE = timedelta(hours=8)  # a working day; a session of the desk lasts as long
EXCHANGE_SECONDS = 1.0  # with less time left no exchange starts: an exchange without its response ends the login
LOCK_WAIT_TIMEOUT = 1205  # MySQL's ER_LOCK_WAIT_TIMEOUT, after innodb_lock_wait_timeout


class LoginEnded(Exception):
    """The login behind a session of the desk has ended. The staff member has to sign in again."""


def add(tokens: TokenPair) -> str:
    """Store a pair and return its key."""
    key = secrets.token_hex(20)
    expires_at = timezone.now() + MAX_AGE
    StaffTokens.objects.create(key=key, access=tokens.access, refresh=tokens.refresh, expires_at=expires_at)
    return key


def read(key: str) -> TokenPair:
    """The pair as it is now. Raises LoginEnded when it is deleted."""
    return _pair(StaffTokens.objects.filter(pk=key).first())


def renew(key: str, *, refused: str, until: float) -> TokenPair:
    """The pair that follows the one with the access token `refused`, exchanged by this request or by a concurrent one.

    `until` is the deadline by time.monotonic(). Raises LoginEnded, and Unavailable when user_service does not respond to this
    request or to the concurrent one. An exchange whose response is lost ends the login, because user_service takes the next use for
    a theft.
    """
    try:
        with transaction.atomic():
            kept = _pair(StaffTokens.objects.select_for_update().filter(pk=key).first())
            if kept.access != refused:
                return kept
            if until - time.monotonic() < EXCHANGE_SECONDS:
                raise Unavailable(user_service.NO_RESPONSE)
            new = user_service.renew(refresh=kept.refresh, until=until)
            StaffTokens.objects.filter(pk=key).update(access=new.access, refresh=new.refresh)
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
    return _pair(row)


def _pair(row: StaffTokens | None) -> TokenPair:
    if row is None:
        raise LoginEnded
    return TokenPair(row.access, row.refresh)
