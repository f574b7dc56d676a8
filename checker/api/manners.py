"""The rules for every request and every answer at every address (RFC 9110 and 9112).

A request is refused with 400 if a proxy in front could read its headers in another way: two `Host`
or none (HTTP/1.0 needs none), or two `Authorization`. A path with an empty word or an escaped slash
is nowhere: 404.

Every answer has `X-Request-ID`, and `X-Content-Type-Options: nosniff`. No cache may store an answer
that has neither `Cache-Control` nor `ETag` of its own.

The id of a request is the caller's, if that is a plain short token and cannot be the number of a
document; else it is drawn. A caller may have put a name into the id, so only an id that is drawn or
looks random is logged.
"""

import asyncio
import random
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from checker.api.url_keys import key_in_url
from checker.errors import CheckerError, Fault, InvalidRequest, NotFound

REQUEST_ID: Final = "checker.request_id"
"""The key of the id in the ASGI scope of a request."""

REQUEST_ID_HEADER: Final = b"x-request-id"
NO_STORE: Final = (b"cache-control", b"no-store")
NO_SNIFF: Final = (b"x-content-type-options", b"nosniff")

_HOST: Final = b"host"
_AUTHORIZATION: Final = b"authorization"
_ONCE: Final = {_HOST: "Host", _AUTHORIZATION: "Authorization", b"content-type": "Content-Type"}
_WITHOUT_HOST: Final = {"1.0", "1"}
_TOKEN: Final = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_RANDOM: Final = re.compile(rb"[0-9a-f]{24}|[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NUMBER: Final = re.compile(rb"[0-9]{15}|^[A-Za-z]{0,3}[0-9]{7,}[A-Za-z]?$")
"""The number of a card anywhere, or the number of a passport or permit alone."""

_KEPT: Final = {b"cache-control", b"etag"}

_Headers = Iterable[tuple[bytes, bytes]]


def request_id_of(sent: Mapping[bytes, bytes]) -> bytes:
    """Return the id of the request with these headers."""
    asked = sent.get(REQUEST_ID_HEADER)
    if asked is not None and _TOKEN.fullmatch(asked):
        has_number = _NUMBER.search(asked) and not _RANDOM.fullmatch(asked)
        if not has_number:
            return asked
    # An id is no secret. A random one takes a fifth of the time of `uuid4`.
    return b"%024x" % random.getrandbits(96)


def id_in(scope: Mapping[str, Any]) -> bytes | None:
    """Return the id that the lane put into the ASGI scope of a request, if any."""
    found: bytes | None = scope.get(REQUEST_ID)
    return found


def logged_id(request_id: bytes | None) -> dict[str, str]:
    """Return the field of a log line that holds the id, if the id cannot name a person."""
    if request_id is None or not _RANDOM.fullmatch(request_id):
        return {}
    return {"request_id": request_id.decode()}


def fault_of(scope: Any, sent: Mapping[bytes, bytes]) -> CheckerError | None:
    """Return the error that refuses a request by its headers or by a key in its URL, else None.

    `sent` holds the headers of the scope.
    """
    if len(sent) != len(scope["headers"]):
        names = [name for name, _ in scope["headers"]]
        for name, shown in _ONCE.items():
            if names.count(name) > 1:
                return _not_once(shown)
    # The server puts an empty `Host` where none was sent.
    if not sent.get(_HOST) and scope["http_version"] not in _WITHOUT_HOST:
        return _not_once("Host")
    path, query = scope["path"], scope["query_string"]
    # A router drops empty words of a path, and reads an escaped slash as a slash. A proxy that
    # closes an address to the outside may do neither.
    if "//" in path or b"%2f" in scope.get("raw_path", b"").lower():
        return NotFound("nothing is at this address")
    if query:
        return key_in_url(path, query, has_header=_AUTHORIZATION in sent)
    return None


def finished(headers: _Headers, request_id: bytes) -> list[tuple[bytes, bytes]]:
    """Return the headers of an answer with those that every answer has."""
    found = list(headers)
    if not _KEPT.intersection([name.lower() for name, _ in found]):
        found.append(NO_STORE)
    return [*found, NO_SNIFF, (REQUEST_ID_HEADER, request_id)]


def finishing(send: Any, request_id: bytes) -> Any:
    """Return an ASGI `send` that adds the headers which every answer has."""

    async def send_finished(message: Any) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": finished(message["headers"], request_id)}
        await send(message)

    return send_finished


def headless(scope: Any, receive: Any, send: Any) -> tuple[Any, Any, Any]:
    """Return the parts of a HEAD request as those of a GET, whose answer is sent without its body.

    The scope is a copy, because the server must go on to know that no body may follow.
    """
    ends = _HeadlessEnds(receive, send)
    return {**scope, "method": "GET"}, ends.receive, ends.send


class _HeadlessEnds:
    """The two ends of a HEAD request: the answer of a GET is sent without its body.

    The end of the connection is reported as soon as the headers are sent, so that a stream stops.
    """

    def __init__(self, receive: Any, send: Any) -> None:
        self._receive = receive
        self._send = send
        self._sent = asyncio.Event()
        self._has_body = False

    async def receive(self) -> Any:
        """Return the body of the request, then wait until the headers are sent."""
        if not self._has_body:
            message = await self._receive()
            self._has_body = not message.get("more_body", False)
            return message
        await self._sent.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        """Send the start of the answer, and drop the rest."""
        if message["type"] == "http.response.start":
            await self._send(message)
        elif not self._sent.is_set():
            await self._send({"type": "http.response.body", "body": b""})
            self._sent.set()


def _not_once(name: str) -> InvalidRequest:
    return InvalidRequest("a header is not as it must be", [Fault("", f"send {name} once")])
