"""Sends one message to an endpoint, and returns the outcome.

Any 2xx acknowledges the message. The service follows no redirection, because the institution named
this address. It reads the status and `Retry-After` of an answer, and nothing else.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from http import HTTPStatus
from typing import Final

import httpcore
import httpx
import msgspec

from checker.notices.endpoint import EndpointRules
from checker.notices.guarded_network import GuardedNetwork
from checker.notices.network import AddressRefused, Resolve, resolve

ATTEMPT_TIMEOUT_S: Final = 10.0
"""A receiver takes a message and works on it later. After so long a silence it counts as away."""

ANSWER_BYTES_MAX: Final = 16 * 1024
"""A longer answer closes the connection. A shorter one is read, and the connection stays open."""

KEEP_ALIVE_S: Final = 5.0
_USER_AGENT: Final = b"checker-notices/1"


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of an attempt; `failure` None: the receiver acknowledged the message.

    A failure is a word, or `status-` with the answered status. `retry_after_s` is the delay that
    the receiver asked for. `gone`: the receiver takes no message any more.
    """

    failure: str | None = None
    retry_after_s: int | None = None
    gone: bool = False


class Postman:
    """Sends messages to one endpoint, over connections of its own: one for each message under way.

    A connection that is idle sends the next message. httpcore's pool looks at all connections for
    each message, which takes more time than to send the message.
    """

    def __init__(
        self, url: httpx.URL, tls: ssl.SSLContext, network: httpcore.AsyncNetworkBackend
    ) -> None:
        self._url = httpcore.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        )
        self._host = url.netloc
        self._tls = tls
        self._network = network
        self._idle: list[httpcore.AsyncHTTPConnection] = []

    async def post(self, body: str, headers: Mapping[str, str]) -> Posted:
        """Send a message once, within `ATTEMPT_TIMEOUT_S`, and return the outcome."""
        try:
            async with asyncio.timeout(ATTEMPT_TIMEOUT_S):
                return await self._post(body.encode(), headers)
        except (TimeoutError, httpcore.TimeoutException):
            return Posted(failure="timeout")
        except AddressRefused:
            return Posted(failure="address-refused")
        except ssl.SSLError:
            return Posted(failure="tls")
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            tls = isinstance(error.__cause__ or error.__context__, ssl.SSLError)
            return Posted(failure="tls" if tls else "unreachable")

    async def _post(self, body: bytes, headers: Mapping[str, str]) -> Posted:
        sent = [(name.encode(), value.encode()) for name, value in headers.items()]
        fixed = [
            (b"host", self._host),
            (b"user-agent", _USER_AGENT),
            (b"accept-encoding", b"identity"),
            (b"content-length", str(len(body)).encode()),
        ]
        request = httpcore.Request("POST", self._url, headers=[*fixed, *sent], content=body)
        connection = await self._take()
        try:
            response = await connection.handle_async_request(request)
            async with aclosing(response):
                size = 0
                async for chunk in response.aiter_stream():
                    size += len(chunk)
                    if size > ANSWER_BYTES_MAX:
                        break
            return _posted(response)
        finally:
            if connection.is_idle():
                self._idle.append(connection)
            else:
                await connection.aclose()

    async def _take(self) -> httpcore.AsyncHTTPConnection:
        """Return a connection for one message: the one that was idle the shortest, or a new one."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_available() and not connection.has_expired():
                return connection
            await connection.aclose()
        return httpcore.AsyncHTTPConnection(
            origin=self._url.origin,
            ssl_context=self._tls,
            keepalive_expiry=KEEP_ALIVE_S,
            network_backend=self._network,
        )

    async def aclose(self) -> None:
        """Close the idle connections."""
        while self._idle:
            await self._idle.pop().aclose()


@asynccontextmanager
async def open_postman(
    url: httpx.URL,
    rules: EndpointRules,
    tls: ssl.SSLContext,
    *,
    resolve_host: Resolve = resolve,
) -> AsyncIterator[Postman]:
    """Open a postman for an endpoint; the connections close at the end of the context."""
    async with aclosing(Postman(url, tls, GuardedNetwork(rules, resolve_host))) as postman:
        yield postman


def _posted(response: httpcore.Response) -> Posted:
    status = response.status
    if HTTPStatus(200) <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Posted()
    return Posted(
        failure=f"status-{status}",
        retry_after_s=_retry_after_s(response),
        gone=status == HTTPStatus.GONE,
    )


def _retry_after_s(response: httpcore.Response) -> int | None:
    """Return `Retry-After` in seconds; None where it is missing or a date."""
    for name, value in response.headers:
        if name.lower() == b"retry-after" and value.isdigit() and len(value) < 10:
            return int(value)
    return None
