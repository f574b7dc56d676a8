"""Connections to endpoints: to addresses that the rules permit, and to no others.

This module resolves a name and holds each address against the rules. Then it connects to the
address in numbers, so that a second answer for the name changes nothing (DNS rebinding). TLS still
verifies the name.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

import httpcore

from checker.notices.endpoint import EndpointRules

RESOLVE_TIMEOUT_S: Final = 5.0

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class AddressRefused(Exception):
    """The name leads to an address that the rules do not allow."""


class CannotResolve(Exception):
    """The name has no address, or its servers do not answer."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host in numbers.

    Raises:
        CannotResolve: the host has no address, or the answer takes too long.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(RESOLVE_TIMEOUT_S):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError):
        raise CannotResolve from None
    # An IPv6 address may carry the zone of a link (`%eth0`), which no public one does.
    return list(dict.fromkeys(str(each[4][0]).partition("%")[0] for each in found))


async def permitted_addresses(
    host: str, port: int, rules: EndpointRules, resolve_host: Resolve = resolve
) -> Sequence[str]:
    """Return the addresses of a host, if the rules permit all of them.

    Raises:
        AddressRefused: the rules refuse one address, so the name is no public endpoint.
        CannotResolve: the host has no address.
    """
    addresses = await resolve_host(host, port)
    if not all(map(rules.permits, addresses)):
        raise AddressRefused
    return addresses


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """A network for httpcore on which only what the rules allow can be reached."""

    def __init__(self, rules: EndpointRules, resolve_host: Resolve = resolve) -> None:
        self._rules = rules
        self._resolve = resolve_host
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of the host that answers."""
        try:
            addresses = await permitted_addresses(host, port, self._rules, self._resolve)
        except CannotResolve:
            raise httpcore.ConnectError("the name leads nowhere") from None
        failure: Exception = httpcore.ConnectError("the name has no address")
        for address in addresses:
            try:
                return await self._network.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def sleep(self, seconds: float) -> None:
        """Pause, as httpcore asks between attempts of its own."""
        await self._network.sleep(seconds)
