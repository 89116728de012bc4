"""Under which addresses this machine is reached."""

from __future__ import annotations

import ipaddress

import ifaddr

LOOPBACK = "127.0.0.1"


def local_addresses() -> list[str]:
    """Every IPv4 address of this machine's interfaces, the loopback last."""
    ips = [address.ip for adapter in ifaddr.get_adapters() for address in adapter.ips]
    found = [ip for ip in ips if isinstance(ip, str) and not ipaddress.ip_address(ip).is_loopback]
    return [*dict.fromkeys(found), LOOPBACK]
