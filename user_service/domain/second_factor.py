"""A second factor: an authenticator, and ten recovery codes for the case that it is lost.

The authenticator computes a code of six digits every 30 s (TOTP, RFC 6238). The database holds its secret encrypted
(`use_cases/accept_code.py`), because codes are computed from it. Recovery codes are stored as hashes. Each has 49 random bits and
works once.
"""

import hashlib
import secrets
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

import pyotp

STEP_SECONDS = 30
STEPS = (0, -1, 1)  # RFC 6238 section 5.2: one step of tolerance for the clock of a telephone
RECOVERY_CODES = 10
RECOVERY_CHARACTERS = 10
OFFER_LIFETIME = timedelta(minutes=10)
APPROVAL_LIFETIME = timedelta(hours=24)
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without characters that resemble another one


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactor:
    """A confirmed authenticator. `last_step`: the step of the last code that was used. Older codes are refused."""

    secret: str
    last_step: int
    recovery_hashes: tuple[str, ...]

    @classmethod
    def confirm(cls, secret: str, code: str, *, at: datetime) -> tuple[Self, list[str]] | None:
        """The factor and its recovery codes when `code` comes from the authenticator with this secret, else None."""
        step = _step_of(secret, code, at)
        if step is None:
            return None
        codes = ["".join(secrets.choice(ALPHABET) for _ in range(RECOVERY_CHARACTERS)) for _ in range(RECOVERY_CODES)]
        factor = cls(secret=secret, last_step=step, recovery_hashes=tuple(map(_hash, codes)))
        return factor, [f"{code[:5]}-{code[5:]}" for code in codes]

    def accept(self, code: str, *, at: datetime) -> Self | None:
        """The factor after this code was used. None for a code that is wrong or was used before."""
        step = _step_of(self.secret, code, at)
        if step is not None and step > self.last_step:
            return replace(self, last_step=step)
        used = _hash(code)
        if used in self.recovery_hashes:
            return replace(self, recovery_hashes=tuple(known for known in self.recovery_hashes if known != used))
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretOffer:
    """A secret for an authenticator: as text, and as the URI that apps read from a QR code."""

    secret: str
    uri: str
    expires_at: datetime

    @classmethod
    def make(cls, *, account: str, issuer: str, at: datetime) -> Self:
        """A random secret. An app shows it under the names of the shop and the account."""
        secret, expires_at = pyotp.random_base32(), at + OFFER_LIFETIME
        return cls(
            secret=secret,
            expires_at=expires_at,
            uri=pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer),
        )


def _step_of(secret: str, code: str, at: datetime) -> int | None:
    """The step of time that this code belongs to: the present one or one of its neighbours."""
    code = normalize_code(code)
    totp, present = pyotp.TOTP(secret), int(at.timestamp()) // STEP_SECONDS
    codes = {present + n: totp.generate_otp(present + n).encode() for n in STEPS}
    return next((step for step, known in codes.items() if secrets.compare_digest(known, code.encode())), None)


def normalize_code(code: str) -> str:
    """A code as it is compared: its letters and digits, in lower case. Digits of any script are plain ones."""
    text = unicodedata.normalize("NFKC", code).casefold()
    return "".join(str(unicodedata.decimal(c, c)) for c in text if c.isalnum())


def _hash(code: str) -> str:
    return hashlib.sha256(normalize_code(code).encode()).hexdigest()
