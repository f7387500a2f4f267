"""Add an authenticator to one's own account: first it is offered, then confirmed by one of its codes."""

from dataclasses import replace

from libs.access.caller import Caller
from libs.access.encryption import Encryption
from libs.mongo_store.transactions import until_written
from libs.values.errors import Invalid
from user_service.domain.errors import ApprovalRequired, EmailNotVerified, HasSecondFactor, NoSecondFactor
from user_service.domain.second_factor import SecretOffer
from user_service.domain.user import User
from user_service.events.published import UserNoticeRequested
from user_service.store import users
from user_service.store.clock import now
from user_service.store.limits.rate_limits import Attempt, LoginLimits
from user_service.use_cases.reauthenticate import reauthenticate
from user_service.use_cases.sign_in.accept_code import confirm_code


@until_written
def offer_second_factor(
    *,
    caller: Caller,
    password: str,
    issuer: str,
    limits: LoginLimits,
    second_factor_required: bool,
    encryption: Encryption,
) -> SecretOffer | None:
    """A new secret, which replaces one that was offered before. `issuer` is the shop's name in the authenticator.

    `second_factor_required`: roles count only with an authenticator, so an admin has to approve that of an account with roles.
    Raises Invalid on `password`, HasSecondFactor, EmailNotVerified, ApprovalRequired, TooManyAttempts, TooManyHashes,
    NotAuthenticated.
    """
    before = reauthenticate(caller=caller, password=password, limits=limits)
    if before.second_factor:
        raise HasSecondFactor
    _require_permission(before, second_factor_required=second_factor_required)
    offer = SecretOffer.make(account=before.email.text, issuer=issuer, at=now())
    after = before.with_offer(replace(offer, secret=encryption.encrypt(offer.secret)))
    return offer if users.update(before, after) else None


def confirm_second_factor(
    *, caller: Caller, code: str, limits: LoginLimits, second_factor_required: bool, encryption: Encryption
) -> list[str]:
    """Require codes from now on. Returns the recovery codes. All sessions end, because they began without a code.

    Raises NoSecondFactor when none was offered or the offer has ended, Invalid on `code`, EmailNotVerified, ApprovalRequired,
    TooManyAttempts, NotAuthenticated.
    """
    attempt = Attempt()
    codes = _confirm(
        caller, code, limits, attempt, second_factor_required=second_factor_required, encryption=encryption
    )
    attempt.succeed()
    return codes


@until_written
def _confirm(
    caller: Caller,
    code: str,
    limits: LoginLimits,
    attempt: Attempt,
    *,
    second_factor_required: bool,
    encryption: Encryption,
) -> list[str] | None:
    before, at = users.own_account(caller), now()
    secret = before.secret_on_offer(at=at)
    if not secret:
        raise NoSecondFactor
    _require_permission(before, second_factor_required=second_factor_required)
    attempt.count(limits.code(before))
    confirmed = confirm_code(secret, code, encryption=encryption, at=at)
    if confirmed is None:
        raise Invalid.field("code", "wrong-code", "This is not the code that the authenticator shows now")
    factor, recovery_codes = confirmed
    after = before.with_second_factor(factor)
    notice = UserNoticeRequested.of(after, "authenticator-added", at=at)
    return recovery_codes if users.update(before, after, notice, tokens="end") else None


def _require_permission(user: User, *, second_factor_required: bool) -> None:
    if not user.email_verified:  # else a stranger who registers with an address keeps it from its owner
        raise EmailNotVerified
    if user.needs_approval(second_factor_required=second_factor_required, at=now()):
        raise ApprovalRequired
