"""Which network addresses a user's URL may lead to.

Whoever writes an endpoint's config chooses the URL, and the worker stands in a network that they may not reach
themselves. So every address that is not public is refused, unless the operator lists its network.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Public by the registry, but answered by the hypervisor: the wire server of Azure.
_PLATFORM = frozenset({ip_address("168.63.129.16")})
# Translated addresses reach the IPv4 address in their last 32 bits.
_TRANSLATED = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))


@dataclass(frozen=True, kw_only=True)
class AddressRules:
    """What may be reached beside public addresses.

    Attributes:
        allowed: Networks in which any address may be reached.
    """

    allowed: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> AddressRules:
        """Read a comma-separated list such as ``10.0.0.0/8, fd00::/8``.

        Raises:
            ValueError: A part is no network; names it.
        """
        networks = []
        for part in filter(None, (one.strip() for one in text.split(","))):
            try:
                networks.append(ip_network(part))
            except ValueError:
                raise ValueError(f"{part!r} is no network such as 10.0.0.0/8") from None
        return cls(allowed=tuple(networks))

    def permit(self, address: Address) -> bool:
        """Return whether a connection to ``address`` may be made."""
        reached = _reached(address)
        if any(
            one.version == network.version and one in network for one in {address, reached} for network in self.allowed
        ):
            return True
        return reached.is_global and not reached.is_multicast and reached not in _PLATFORM


def _reached(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for, or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if any(address in network for network in _TRANSLATED):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)
