"""The tokens of somebody at the desk: kept on the server, and exchanged for newer ones when they end.

They lie in a row of Django's sessions that no cookie names, beside the session's own. That one is stored at the end of every
request, as it was read at the beginning: of two requests at once, one would put back the tokens that the other has just exchanged,
and a refresh token that is used twice ends the login (docs/adr/0021). This row is written by nobody but `renew`, which locks it.
"""

import secrets
import time
from datetime import timedelta

from django.contrib.sessions.models import Session
from django.db import OperationalError, transaction

from libs.runtime.logs import get_logger
from libs.values.errors import Unavailable
from libs.values.times import now
from order_service.desk.sign_in import user_service
from order_service.desk.sign_in.user_service import Refused, SignedIn

log = get_logger(__name__)

LONGEST = timedelta(hours=8)  # a working day: as long as a session of the desk
EXCHANGE_SECONDS = 1.0  # with less left nothing is sent: an exchange whose answer is cut off costs the login
LOCK_WAIT_TIMEOUT = 1205  # MySQL's ER_LOCK_WAIT_TIMEOUT, after innodb_lock_wait_timeout


class SessionOver(Exception):
    """The login behind a session of the desk has ended: only another one helps."""


def keep(tokens: SignedIn) -> str:
    """Store a pair; return the key that finds it again."""
    key = secrets.token_hex(20)
    Session.objects.save(key, tokens._asdict(), now() + LONGEST)
    return key


def read(key: str) -> SignedIn:
    """The pair as it is now. Raises SessionOver when it is gone."""
    return _pair(Session.objects.filter(pk=key).first())


def renew(key: str, *, refused: str, until: float) -> SignedIn:
    """The pair after the one with the access token that was `refused`: exchanged here, or by another request meanwhile.

    Raises SessionOver, and Unavailable when user_service does not answer this request or the one before it. An exchange whose
    answer is lost costs the login: nobody can tell it from a theft.
    """
    try:
        with transaction.atomic():
            kept = _pair(Session.objects.select_for_update().filter(pk=key).first())
            if kept.access != refused:
                return kept
            if until - time.monotonic() < EXCHANGE_SECONDS:
                raise Unavailable(user_service.BUSY)
            new = user_service.renew(refresh=kept.refresh, until=until)
            Session.objects.filter(pk=key).update(session_data=Session.objects.encode(new._asdict()))
            return new
    except Refused:
        raise SessionOver from None
    except OperationalError as error:
        if error.args[:1] != (LOCK_WAIT_TIMEOUT,):
            raise
        log.warning("another request has been renewing the tokens for too long")
        raise Unavailable(user_service.BUSY) from error


def forget(key: str) -> SignedIn | None:
    """Delete a pair and return it; None when it is gone."""
    row = Session.objects.filter(pk=key).first()
    if row is None:
        return None
    try:
        row.delete()
    except OperationalError as error:  # another tab is renewing them: the row ends by itself, for its session is over
        if error.args[:1] != (LOCK_WAIT_TIMEOUT,):
            raise
    return _pair(row)


def _pair(row: Session | None) -> SignedIn:
    if row is None:
        raise SessionOver
    return SignedIn(**row.get_decoded())
