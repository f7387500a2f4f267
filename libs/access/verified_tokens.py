"""Access tokens that were verified before: the next request with the same token needs no second check of its signature.

The key of an entry is the SHA-256 of the token, so the memory holds no token. Revocations are not checked here.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from libs.access.caller import Caller
from libs.runtime.generation_cache import GenerationCache
from libs.values.errors import NotAuthenticated

LEEWAY_SECONDS = 30  # by which a clock may differ from user_service's
TOKENS = 4096  # in a generation, about 600 bytes each


@dataclass(frozen=True, slots=True)
class _Entry:
    caller: Caller
    expires_at: int  # seconds since the epoch


class VerifiedTokens:
    """The callers of the tokens that one key has signed. The owner of another key makes another object."""

    def __init__(self) -> None:
        self._entries: GenerationCache[bytes, _Entry] = GenerationCache(TOKENS)

    def find(self, token: bytes) -> Caller | None:
        """The caller of a token that was verified before, else None. Raises NotAuthenticated when it has expired since."""
        entry = self._entries.get(sha256(token).digest())
        if entry is None:
            return None
        if entry.expires_at <= time.time() - LEEWAY_SECONDS:
            raise NotAuthenticated
        return entry.caller

    def add(self, token: bytes, caller: Caller, claims: Mapping[str, Any]) -> None:
        """Keep the caller of a token whose signature, claims and times are valid."""
        self._entries.put(sha256(token).digest(), _Entry(caller, int(claims["exp"])))
