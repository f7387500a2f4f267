"""The client addresses that an account registered or signed in from, as hashes."""

import hashlib

from libs.values.client_address import network_of

MAX_KNOWN_ADDRESSES = 20  # per account: a further address replaces the oldest


def address_hash(user_id: str, address: str) -> str:
    """The hash of a client address for one account, so that two accounts at one address have different hashes."""
    return hashlib.sha256(f"{user_id} {network_of(address)}".encode()).hexdigest()[:32]


def with_address(known: tuple[str, ...], new: str) -> tuple[str, ...]:
    """The known hashes and a new one, at most MAX_KNOWN_ADDRESSES."""
    return known if new in known else (*known, new)[-MAX_KNOWN_ADDRESSES:]
