"""The addresses that notices may be sent to: none inside the deployment's own network.

An institution names the endpoint, and the service connects to the endpoint from within. So a name
that leads to a private, local or otherwise special address is refused: when the endpoint is put,
and again at each connection, by the address of that connection (`checker.notices.network`).

httpx is imported when the first URL is read: its import takes a tenth of a second of every start,
and most processes read none.
"""

import ipaddress
import re
from typing import TYPE_CHECKING, Final

import msgspec

from checker.errors import Fault, InvalidRequest

if TYPE_CHECKING:
    import httpx

URL_LENGTH_MAX: Final = 2_000
PORT_MAX: Final = 65_535

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# RFC 6052: an IPv4 address behind a translator.
_TRANSLATED: Final = ipaddress.IPv6Network("64:ff9b::/96")
# Addresses that the table of special addresses (RFC 6890) of an older Python lacks, and one address
# that looks public but is answered inside a cloud only: the agent of its virtual machines.
_SPECIAL_IPV4: Final = tuple(
    map(ipaddress.IPv4Network, ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32"))
)
_UNICAST_IPV6: Final = ipaddress.IPv6Network("2000::/3")
_SPECIAL_IPV6: Final = tuple(map(ipaddress.IPv6Network, ("2001::/23", "3fff::/20")))

# A host whose last part is a number is an IPv4 address (WHATWG URL, section 3.5), and resolvers
# read many shapes of one: hexadecimal, octal, fewer than four parts.
_ENDS_IN_NUMBER: Final = re.compile(r"(?:^|\.)(?:[0-9]+|0[xX][0-9a-fA-F]*)\.?$")


class EndpointRules(msgspec.Struct, frozen=True, kw_only=True):
    """The operator's rules besides https to public addresses (`[notices]` in the config)."""

    allow_http: bool = False
    allow_private_addresses: bool = False

    def permits(self, address: str) -> bool:
        """Return whether the service may connect to an address in numbers."""
        return self.allow_private_addresses or is_public(ipaddress.ip_address(address))


def refused(reason: str) -> InvalidRequest:
    """Return the error of a URL that can be no endpoint; the error repeats nothing of the URL."""
    return InvalidRequest("the URL can be no endpoint", [Fault("/url", reason)])


def is_public(address: _Address) -> bool:
    """Return whether an address is public; an address that holds another counts as the other."""
    if isinstance(address, ipaddress.IPv6Address):
        held = address.ipv4_mapped or address.sixtofour
        if held is None and address.teredo is not None:
            held = address.teredo[1]
        if held is None and address in _TRANSLATED:
            held = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if held is not None:
            return is_public(held)
        if address not in _UNICAST_IPV6 or any(address in each for each in _SPECIAL_IPV6):
            return False
    elif any(address in each for each in _SPECIAL_IPV4):
        return False
    return address.is_global and not address.is_multicast


def read_url(text: str, rules: EndpointRules) -> "httpx.URL":
    """Return the URL of an endpoint; the first call imports httpx, so a thread should make it.

    Raises:
        InvalidRequest: the text is no URL, or the rules do not allow the URL.
    """
    import httpx  # noqa: PLC0415 - see the module

    if len(text) > URL_LENGTH_MAX:
        raise refused(f"has more than {URL_LENGTH_MAX} characters")
    try:
        url = httpx.URL(text)
        # A name in Punycode is decoded only when it is asked for.
        has_host = bool(url.host)
    except (httpx.InvalidURL, ValueError):
        raise refused("is not a URL") from None
    allowed = {"https", "http"} if rules.allow_http else {"https"}
    if url.scheme not in allowed or not has_host:
        raise refused(f"must be an {' or '.join(sorted(allowed, reverse=True))} URL")
    if url.userinfo:
        raise refused("must not hold a user or password: messages are signed")
    if url.fragment:
        raise refused("must not have a fragment")
    if url.port is not None and not 1 <= url.port <= PORT_MAX:
        raise refused(f"must name a port from 1 to {PORT_MAX}")
    host = url.raw_host.decode("ascii")
    if _ENDS_IN_NUMBER.search(host) and not _is_ipv4(host):
        raise refused("must write an IPv4 address as four decimal numbers")
    return url


def _is_ipv4(host: str) -> bool:
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True
