"""Access tokens that were verified before: the next request with the same token needs no second check of its signature.

The key of an entry is the SHA-256 of the token, so the memory holds no token. Its time and its revocations are not checked here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from libs.access.caller import Caller
from libs.runtime.generation_cache import GenerationCache

TOKENS = 4096  # in a generation, about 600 bytes each


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """The caller of a token, and when it expires, in seconds since the epoch."""

    caller: Caller
    expires_at: int


class VerifiedTokens:
    """The callers of the tokens that one key has signed. The owner of another key makes another object."""

    def __init__(self) -> None:
        self._entries: GenerationCache[bytes, VerifiedToken] = GenerationCache(TOKENS)

    def find(self, token: bytes) -> VerifiedToken | None:
        """A token that was verified before, else None. It may have expired since."""
        return self._entries.get(sha256(token).digest())

    def add(self, token: bytes, caller: Caller, claims: Mapping[str, Any]) -> None:
        """Keep the caller of a token whose signature, claims and times are valid."""
        self._entries.put(sha256(token).digest(), VerifiedToken(caller, int(claims["exp"])))
