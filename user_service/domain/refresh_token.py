"""Refresh tokens: a session, the number of a rotation in it, and a signature.

Each token works once. A token that comes a second time was copied. The database holds no token, so a copy of it can refresh no
session: docs/adr/0021.
"""

import base64
import hmac
import re
from dataclasses import dataclass
from typing import Self

from pydantic import SecretStr

from user_service.domain.errors import SessionEnded

SHAPE = re.compile(r"([0-9A-Z]{26})\.([1-9][0-9]{0,8})\.([A-Za-z0-9_-]{43})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken:
    """One refresh token: session id and rotation, from 1.

    It is signed with the key of the access tokens. Its signed text has colons and the one of a JWT has none, so neither token can
    pass for the other.
    """

    sid: str
    rotation: int

    def sign(self, key: SecretStr) -> str:
        """The token as text: `SID.ROTATION.SIGNATURE`."""
        return f"{self.sid}.{self.rotation}.{self._signature(key)}"

    @classmethod
    def verify(cls, text: str, key: SecretStr) -> Self:
        """The token that was signed. Raises SessionEnded for a text that `sign` did not make."""
        match = SHAPE.fullmatch(text)
        if not match:
            raise SessionEnded
        token = cls(sid=match[1], rotation=int(match[2]))
        if not hmac.compare_digest(match[3], token._signature(key)):
            raise SessionEnded
        return token

    def _signature(self, key: SecretStr) -> str:
        signed = f"refresh:{self.sid}:{self.rotation}".encode()
        digest = hmac.digest(key.get_secret_value().encode(), signed, "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
