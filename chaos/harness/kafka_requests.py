"""The requests of Kafka's clients, as a proxy sees them: some may vanish while the others pass."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable

FIND_COORDINATOR, HEARTBEAT = 10, 12
"""API keys of the protocol."""
HEAD = struct.Struct(">ihhih")
"""Length of what follows, API key, its version, correlation id, length of the client's id."""
LENGTH_BYTES = 4


class Requests:
    """The requests of one connection, from its beginning on."""

    def __init__(self, is_swallowed: Callable[[int, str], bool], counts: Counter[str]) -> None:
        """`is_swallowed` gets the API key and the client's id of each request. One that it is true for does not pass."""
        self._is_swallowed, self._counts, self._buffer = is_swallowed, counts, b""

    def __call__(self, data: bytes) -> bytes:
        """What passes of the bytes that came so far: whole requests."""
        self._buffer += data
        passing = b""
        while len(self._buffer) >= HEAD.size:
            length, key, _, _, id_length = HEAD.unpack_from(self._buffer)
            end = LENGTH_BYTES + length
            if len(self._buffer) < end:
                break
            request, self._buffer = self._buffer[:end], self._buffer[end:]
            client_id = request[HEAD.size : HEAD.size + max(0, id_length)].decode()
            if self._is_swallowed(key, client_id):
                self._counts["swallowed"] += 1
            else:
                passing += request
        return passing
