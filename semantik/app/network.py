"""Which addresses the server reaches for its users: public ones, and those that the settings allow. Runs on the loop.

A name is resolved once and the connection goes to the address that was checked: a name that changes its address in
between (DNS rebinding) leads nowhere else.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tornado.netutil import Resolver

from semantik.core.errors import Invalid

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Unreachable(Invalid):
    """The host has no address, or none that may be reached; the message is a sentence."""


@dataclass(frozen=True)
class Network:
    """`private` are the networks that may be reached though they are private; each request may take `timeout_s` without
    an answer. Between two requests for pages of a host there is a pause of `delay_s`. `purpose` is who asks, and the
    setting that `private` comes from."""

    private: tuple[str, ...]
    timeout_s: float
    delay_s: float = 0.0
    purpose: tuple[str, str] = ("connectors", "connectors.private_networks")

    async def resolve(self, host: str, port: int) -> list[str]:
        """The addresses of a host that may be reached, at least one. Raises Unreachable."""
        try:
            async with asyncio.timeout(self.timeout_s):
                found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Unreachable(
                f"There is no host {host}: {getattr(error, 'strerror', None) or error}."
            ) from error
        except TimeoutError as error:
            raise Unreachable(f"The name {host} was not resolved within {self.timeout_s:g} s.") from error
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        allowed = [each for each in addresses if self.may_reach(each)]
        if not allowed:
            who, setting = self.purpose
            raise Unreachable(
                f"{host} is at the private address {addresses[0]}, which {who} may not reach: an administrator can "
                f"allow its network with {setting}."
            )
        return allowed

    def may_reach(self, address: str) -> bool:
        """Whether an address is public, or in one of the private networks that are allowed."""
        parsed = _unwrapped(ipaddress.ip_address(address.partition("%")[0]))
        if parsed.is_global and not parsed.is_multicast:
            return True
        return any(
            parsed.version == network.version and parsed in network for network in _networks(self.private)
        )


class CheckedResolver(Resolver):
    """Resolves a host to those of its addresses that may be reached; the connection goes to one of them."""

    def initialize(self, network: Network) -> None:  # Tornado's way of a constructor
        self._network = network

    async def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[tuple[int, Any]]:
        addresses = await self._network.resolve(host, port)
        return [(socket.AF_INET6 if ":" in each else socket.AF_INET, (each, port)) for each in addresses]


def _networks(texts: Sequence[str]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(text) for text in texts]


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
