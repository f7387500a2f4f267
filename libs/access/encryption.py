"""Encryption of what a database must not show: secrets of authenticators, tokens of the desk.

Fernet of the package cryptography: AES-128 in CBC mode with HMAC-SHA256 (https://github.com/fernet/spec). `ENCRYPTION_KEY` has one
key, or two with a comma between. The first encrypts. Both decrypt, so a key can be replaced while the services run.
"""

import re
from base64 import urlsafe_b64decode
from typing import Annotated

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import AfterValidator, SecretStr

from libs.runtime.logs import get_logger
from libs.values.errors import Unavailable

MAX_KEYS = 2
MIN_DIFFERENT_BYTES = 16  # 32 random bytes have 30 different ones on average, and fewer than 20 once in 10^14 keys
TOKEN_START = "gAAAAA"  # version 0x80, then 8 bytes of seconds since the epoch: every Fernet token until 2106

log = get_logger(__name__)


class UndecryptableText(Unavailable):
    """The text was encrypted with a key that `ENCRYPTION_KEY` does not have, or it was changed."""

    title = "A stored secret can't be read. Ask the shop to restore its encryption key"


def _split_keys(value: SecretStr) -> list[str]:
    return [key.strip() for key in value.get_secret_value().split(",")]


def _require_fernet_keys(value: SecretStr) -> SecretStr:
    keys = _split_keys(value)
    if len(keys) > MAX_KEYS:
        raise ValueError("has more than two keys")
    for key in keys:
        if not re.fullmatch(r"[A-Za-z0-9_-]{43}=", key):  # Fernet itself ignores characters that are not base64
            raise ValueError("is not a Fernet key, 32 bytes in URL-safe base64, or two with a comma between")
        if len(set(urlsafe_b64decode(key))) < MIN_DIFFERENT_BYTES:
            raise ValueError("is not random")
    if len({urlsafe_b64decode(key) for key in keys}) < len(keys):
        raise ValueError("has the same key twice")
    return value


EncryptionKey = Annotated[SecretStr, AfterValidator(_require_fernet_keys)]
"""The type of the variable ENCRYPTION_KEY in a service's Config. A process does not start with another value."""


class Encryption:
    """Encrypts and decrypts texts with the keys of one `EncryptionKey`."""

    def __init__(self, key: SecretStr) -> None:
        fernets = [Fernet(text) for text in _split_keys(key)]
        self._first, self._all = fernets[0], MultiFernet(fernets)

    def encrypt(self, text: str) -> str:
        """The text, encrypted with the first key. Two results for the same text differ."""
        return self._first.encrypt(text.encode()).decode()

    def decrypt(self, stored: str) -> str:
        """The text of a stored value. A value that was stored before encryption began is the text itself.

        Raises UndecryptableText.
        """
        if not is_encrypted(stored):
            return stored
        try:
            return self._all.decrypt(stored).decode()
        except (InvalidToken, ValueError):  # ValueError: not ASCII
            log.error("stored text not decrypted: ENCRYPTION_KEY has not its key, or the text was changed")
            raise UndecryptableText from None

    def is_current(self, stored: str) -> bool:
        """True when the first key has encrypted this value. The command `rotate-encryption` replaces all other values."""
        try:
            self._first.decrypt(stored)
        except (InvalidToken, ValueError):
            return False
        return True


def is_encrypted(stored: str) -> bool:
    """True for a Fernet token. No secret of an authenticator, JWT or refresh token begins as one."""
    return stored.startswith(TOKEN_START)
