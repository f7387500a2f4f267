"""Add an authenticator to one's own account: first it is offered, then confirmed by one of its codes."""

from dataclasses import replace

from libs.access.caller import Caller
from libs.mongo_store.transactions import until_written
from libs.values.errors import Invalid
from libs.values.times import now
from user_service.domain.errors import HasSecondFactor, NoSecondFactor
from user_service.domain.second_factor import SecondFactor, SecretOffer
from user_service.events.published import UserNoticeRequested
from user_service.store import users
from user_service.store.rate_limits import RateLimit
from user_service.use_cases.reauthenticate import reauthenticate


@until_written
def offer_second_factor(*, caller: Caller, password: str, issuer: str, limit: RateLimit) -> SecretOffer | None:
    """A new secret, which replaces one that was offered before. `issuer` is the shop's name in the authenticator.

    Raises Invalid on `password`, HasSecondFactor, TooManyAttempts, TooManyHashes, NotAuthenticated.
    """
    before = reauthenticate(caller=caller, password=password, limit=limit)
    if before.second_factor:
        raise HasSecondFactor
    offer = SecretOffer.make(account=before.email.text, issuer=issuer)
    return offer if users.update(before, replace(before, offered_secret=offer.secret)) else None


@until_written
def confirm_second_factor(*, caller: Caller, code: str) -> list[str] | None:
    """Require codes from now on. Returns the recovery codes. All sessions end, because they began without a code.

    Raises NoSecondFactor when none was offered, Invalid on `code`, NotAuthenticated.
    """
    before = users.own_account(caller)
    if not before.offered_secret:
        raise NoSecondFactor
    confirmed = SecondFactor.confirm(before.offered_secret, code, at=now())
    if confirmed is None:
        raise Invalid.field("code", "wrong-code", "This is not the code that the authenticator shows now")
    factor, recovery_codes = confirmed
    after = before.with_second_factor(factor)
    notice = UserNoticeRequested.of(after, "authenticator-added", at=now())
    return recovery_codes if users.update(before, after, notice, tokens="end") else None
