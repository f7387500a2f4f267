"""Log in: begin a session."""

from dataclasses import replace
from datetime import timedelta

from libs.access.encryption import Encryption
from libs.mongo_store.transactions import until_written
from libs.runtime.logs import get_logger
from libs.values.email_address import EmailAddress
from libs.values.times import to_ms
from user_service.domain.errors import CodeRequired, WrongCredentials
from user_service.domain.passwords import password_forms
from user_service.domain.session import MAX_SESSIONS, Device, Session, TokenGrant
from user_service.domain.user import User
from user_service.store import sessions, users
from user_service.store.clock import now
from user_service.store.dummy_hashes import DummyHashes
from user_service.store.limits.rate_limits import Attempt, LoginLimits
from user_service.store.password_hashes import hash_password, needs_rehash, verify_password
from user_service.use_cases.sign_in.accept_code import accept_code

log = get_logger(__name__)


def log_in(
    *,
    email: str,
    password: str,
    code: str | None,
    device: Device,
    limits: LoginLimits,
    lifetime: timedelta,
    encryption: Encryption,
    dummies: DummyHashes,
) -> TokenGrant:
    """Begin a session that lasts for `lifetime` at most.

    Raises WrongCredentials, which is the same for an unknown address, a disabled account and a wrong password or code. Raises
    CodeRequired after a right password, TooManyAttempts, TooManyHashes.
    """
    attempt = Attempt()
    try:
        grant = _begin_session(
            EmailAddress.of(email),
            password,
            code,
            device,
            limits,
            lifetime=lifetime,
            attempt=attempt,
            encryption=encryption,
            dummies=dummies,
        )
    except WrongCredentials:
        limits.count_failure()
        raise
    attempt.succeed()
    return grant


@until_written
def _begin_session(
    email: EmailAddress,
    password: str,
    code: str | None,
    device: Device,
    limits: LoginLimits,
    *,
    lifetime: timedelta,
    attempt: Attempt,
    encryption: Encryption,
    dummies: DummyHashes,
) -> TokenGrant | None:
    at = now()  # before the account is read (docs/adr/0020)
    before = _check_password(email, password, limits, dummies)
    after = _use_code(before, code, limits, attempt, encryption=encryption).with_client_address(device.address)
    if needs_rehash(before.password_hash):
        after = replace(after, password_hash=hash_password(password_forms(password)[0]))
    session = Session.begin(after, device, at=at, lifetime=lifetime)
    user = sessions.add(session, before=before, after=after, issued_at=to_ms(at))
    if user is None:
        return None
    sessions.delete_oldest(user.id, keep=MAX_SESSIONS)
    log.info("logged in", user=user.id, sid=session.id)
    return TokenGrant(user=user, session=session, issued_at=to_ms(at))


def _check_password(email: EmailAddress, password: str, limits: LoginLimits, dummies: DummyHashes) -> User:
    user, dummy = users.find_by_email(email), dummies.of(email.key)
    limits.enforce_address(user)
    limit = limits.password(user, email.key)
    is_active = bool(user and user.active)  # else 429 after five tries would tell a wrong password from a right one
    right = verify_password(password, user.password_hash if user else "", limit, dummy=dummy, clears=is_active)
    if user and right and user.active:
        return user
    _log_refusal("disabled" if right else "password", user)
    raise WrongCredentials


def _use_code(user: User, code: str | None, limits: LoginLimits, attempt: Attempt, *, encryption: Encryption) -> User:
    if user.second_factor is None:
        return user
    if not code:
        raise CodeRequired
    attempt.count(limits.code(user))
    factor = accept_code(user.second_factor, code, encryption=encryption, at=now())
    if factor is None:
        _log_refusal("code", user)
        raise WrongCredentials
    return user.with_second_factor(factor)


def _log_refusal(reason: str, user: User | None) -> None:
    """Log a line by which operators see that passwords are guessed. It names no address: people type passwords there."""
    log.warning("login refused", reason=reason, user=user.id if user else None)
