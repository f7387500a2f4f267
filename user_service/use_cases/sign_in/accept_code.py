"""Check a code of an authenticator whose secret is stored encrypted."""

from dataclasses import replace
from datetime import datetime

from libs.access.encryption import Encryption
from user_service.domain.second_factor import SecondFactor


def accept_code(factor: SecondFactor, code: str, *, encryption: Encryption, at: datetime) -> SecondFactor | None:
    """The stored factor after this code was used. None for a code that is wrong or was used before. Raises UndecryptableText."""
    used = replace(factor, secret=encryption.decrypt(factor.secret)).accept(code, at=at)
    return replace(used, secret=factor.secret) if used else None


def confirm_code(
    secret: str, code: str, *, encryption: Encryption, at: datetime
) -> tuple[SecondFactor, list[str]] | None:
    """The factor to store and its recovery codes, when the authenticator with this stored secret shows `code`. Else None.

    Raises UndecryptableText.
    """
    confirmed = SecondFactor.confirm(encryption.decrypt(secret), code, at=at)
    if confirmed is None:
        return None
    factor, recovery_codes = confirmed
    return replace(
        factor, secret=secret if encryption.is_current(secret) else encryption.encrypt(factor.secret)
    ), recovery_codes
