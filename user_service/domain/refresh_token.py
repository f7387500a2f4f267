"""Refresh tokens: a session, a number in it, and a signature. The next number works; one that was used tells of a theft.

Nothing of them is in the database, so whoever reads it can refresh nothing: docs/adr/0021.
"""

import base64
import hmac
import re
from dataclasses import dataclass

from pydantic import SecretStr

from user_service.domain.errors import SessionEnded

SHAPE = re.compile(r"([0-9A-Z]{26})\.([1-9][0-9]{0,8})\.([A-Za-z0-9_-]{43})", re.ASCII)


@dataclass(frozen=True)
class RefreshTokens:
    """Makes and reads refresh tokens with the key of the access tokens. A JWT's signing input has no colon, so neither can
    be taken for the other."""

    secret: SecretStr

    def mint(self, sid: str, number: int) -> str:
        """The refresh token with a number in a session."""
        return f"{sid}.{number}.{self._sign(sid, number)}"

    def read(self, token: str) -> tuple[str, int]:
        """(sid, number). Raises SessionEnded for what was not made here."""
        match = SHAPE.fullmatch(token)
        if not match or not hmac.compare_digest(match[3], self._sign(match[1], int(match[2]))):
            raise SessionEnded
        return match[1], int(match[2])

    def _sign(self, sid: str, number: int) -> str:
        digest = hmac.digest(self.secret.get_secret_value().encode(), f"refresh:{sid}:{number}".encode(), "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
