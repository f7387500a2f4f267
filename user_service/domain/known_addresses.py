"""The client addresses that an account registered or signed in from, as hashes."""

import hashlib
import ipaddress

MAX_KNOWN_ADDRESSES = 20  # per account: a further address replaces the oldest


def network_of(address: str) -> str:
    """The address, or the /64 network of an IPv6 address: a provider gives each customer one."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return str(ip) if ip.version == 4 else str(ipaddress.ip_network((ip, 64), strict=False).network_address)


def address_hash(user_id: str, address: str) -> str:
    """The hash of a client address for one account, so that two accounts at one address have different hashes."""
    return hashlib.sha256(f"{user_id} {network_of(address)}".encode()).hexdigest()[:32]


def with_address(known: tuple[str, ...], new: str) -> tuple[str, ...]:
    """The known hashes and a new one, at most MAX_KNOWN_ADDRESSES."""
    return known if new in known else (*known, new)[-MAX_KNOWN_ADDRESSES:]
