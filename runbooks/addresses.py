"""Which addresses are outside: those that automations may reach.

What counts: is_global and neither multicast nor reserved, after unwrapping IPv4-mapped, NAT64 (RFC 6052), 6to4
(RFC 3056) and Teredo (RFC 4380) addresses. An admin may allow a host and a port by name; then private addresses and
loopback are fine for it, but never link-local ones (where clouds keep their metadata), unless the address itself was
allowed.
"""

import ipaddress
from contextlib import suppress

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_METADATA = ipaddress.ip_network("fd00:ec2::/32")
_NOWHERE = [
    ipaddress.ip_network(one) for one in ("64:ff9b:1::/48", "192.0.0.0/24", "192.88.99.0/24", "100::/64", "3fff::/20")
]
"""What some versions of Python call global."""
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _unwrapped(address: Address) -> list[Address]:
    """The addresses that are really reached through this one."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    if address.sixtofour:
        return [address.sixtofour]
    if address.teredo:
        return list(address.teredo)
    if address in _NAT64 or int(address) >> 32 == 0:
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    return [address]


def _is_outside(address: Address) -> bool:
    known = not any(address in network for network in _NOWHERE)  # never, where their versions differ
    inner = (
        address.is_multicast,
        address.is_reserved,
        address.is_loopback,
        address.is_link_local,
        address.is_unspecified,
    )
    return known and address.is_global and not any(inner) and not getattr(address, "is_site_local", False)


def is_outside(text: str) -> bool:
    """Whether an address, as the resolver gives it, belongs to the public Internet."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    nowhere = any(address in network for network in _NOWHERE)
    return not nowhere and all(_is_outside(one) for one in _unwrapped(address))


def is_never(text: str) -> bool:
    """Whether no name may lead there, allowed or not: link-local (metadata of clouds), multicast, nowhere."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return True
    return any(
        one.is_link_local or one.is_multicast or one.is_unspecified or one in _METADATA for one in _unwrapped(address)
    )


def is_literal(host: str) -> bool:
    with suppress(ValueError):
        return bool(ipaddress.ip_address(host))
    return False
