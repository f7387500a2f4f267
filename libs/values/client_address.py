"""Addresses of clients, as limits count them."""

import ipaddress


def network_of(address: str) -> str:
    """The address, or the /64 network of an IPv6 address: a provider gives each customer one."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return str(ip) if ip.version == 4 else str(ipaddress.ip_network((int(ip), 64), strict=False).network_address)
