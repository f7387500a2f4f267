"""The requests of Kafka's clients, as a proxy sees them: some kinds may vanish while the others pass."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Collection

FIND_COORDINATOR, HEARTBEAT = 10, 12
"""API keys of the protocol."""
HEAD = struct.Struct(">ih")  # length of what follows, and the API key
LENGTH_BYTES = 4


class Requests:
    """The requests of one connection, from its beginning on."""

    def __init__(self, swallowed: Collection[int], counts: Counter[str]) -> None:
        """`swallowed`: the API keys that don't pass now. It may change."""
        self._swallowed, self._counts, self._buffer = swallowed, counts, b""

    def __call__(self, data: bytes) -> bytes:
        """What passes of the bytes that came so far: whole requests."""
        self._buffer += data
        passing = b""
        while len(self._buffer) >= HEAD.size:
            length, key = HEAD.unpack_from(self._buffer)
            end = LENGTH_BYTES + length
            if len(self._buffer) < end:
                break
            request, self._buffer = self._buffer[:end], self._buffer[end:]
            if key in self._swallowed:
                self._counts["swallowed"] += 1
            else:
                passing += request
        return passing
