"""One HTTP exchange on plain ASGI: reads a bounded body, and sends an answer.

The fast lane uses this module directly, because a check must not pay for a framework. The routed
handlers make the same answers.
"""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec

from checker.accounts.quotas import NO_LIMIT, Allowance
from checker.api.manners import NO_SNIFF, NO_STORE, REQUEST_ID_HEADER
from checker.api.problems import MEDIA_TYPE, headers_of, problem_of
from checker.errors import BodyStalled, InvalidRequest, TooLarge

JSON = "application/json"
CHECK_BYTES_MAX = 64 * 1024
"""A check has about 300 bytes; the rest is room for what a caller may send by mistake."""
BATCH_BYTES_MAX = 16 * 1024 * 1024
"""10 000 checks of 1 600 bytes."""

_NO_HEADERS: Mapping[str, str] = {}

encode = msgspec.json.Encoder().encode


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An answer whose body is serialised already."""

    status: int
    body: bytes
    media_type: str = JSON
    headers: Mapping[str, str] = {}


_RAW_OK: Final = (
    b"HTTP/1.1 200 OK\r\n"
    b"date: %b\r\n"
    b"x-content-type-options: nosniff\r\n"
    b"x-request-id: %b\r\n"
    b"content-type: application/json\r\n"
    b"content-length: %d\r\n"
    b"cache-control: no-store\r\n"
    b"%b\r\n"
    b"%b"
)
"""The bytes of an answer whose body is JSON, with the headers in the order of `send_reply`."""


def raw_ok(body: bytes, allowance: Allowance, request_id: bytes, date: bytes) -> bytes:
    """Return an HTTP/1.1 answer as it stands on the wire; `date` is the text of its `Date`."""
    rate_limit = _RAW_UNLIMITED if allowance is NO_LIMIT else _raw_rate_limit(allowance)
    return _RAW_OK % (date, request_id, len(body), rate_limit, body)


def _raw_rate_limit(allowance: Allowance) -> bytes:
    return f"ratelimit-policy: {allowance.policy}\r\nratelimit: {_lefts(allowance)}\r\n".encode()


def raw_last(reply: Reply, request_id: bytes, date: bytes) -> bytes:
    """Return the bytes of an answer after which the server closes the connection."""
    status = HTTPStatus(reply.status)
    headers = {
        "date": date.decode(),
        "x-content-type-options": "nosniff",
        "x-request-id": request_id.decode(),
        "content-type": reply.media_type,
        "content-length": str(len(reply.body)),
        "cache-control": "no-store",
        **reply.headers,
        "connection": "close",
    }
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode()
    return head + _raw_headers(headers) + b"\r\n" + reply.body


def _raw_headers(headers: Mapping[str, str]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()


BODILESS: Final = {204, 304}
"""An answer with one of these statuses has no body."""

NO_CONTENT: Final = Reply(status=204, body=b"")


def json_reply(value: Any, *, status: int = 200, headers: Mapping[str, str] = _NO_HEADERS) -> Reply:
    """Return an answer whose body is the value as JSON."""
    return Reply(status=status, body=encode(value), headers=headers)


def rate_limit_headers(allowance: Allowance) -> Mapping[str, str]:
    """Return the headers of draft-ietf-httpapi-ratelimit-headers, with one list member a window."""
    if allowance is NO_LIMIT:
        return _UNLIMITED
    return _written(allowance)


def _written(allowance: Allowance) -> Mapping[str, str]:
    return {"ratelimit-policy": allowance.policy, "ratelimit": _lefts(allowance)}


def _lefts(allowance: Allowance) -> str:
    lefts = ""
    for share in allowance.shares:
        if lefts:
            lefts += ", "
        left, resets_in_s = allowance.left(share), allowance.resets_in_s(share)
        lefts += f'"{share.window}";r={left};t={resets_in_s}'
    return lefts


_UNLIMITED = _written(NO_LIMIT)
_RAW_UNLIMITED = _raw_headers(_UNLIMITED)


def reply_to(error: BaseException, headers: Mapping[str, str] = _NO_HEADERS) -> Reply:
    """Return the answer to an error, by the error's row in the table of problems."""
    problem = problem_of(error)
    return Reply(
        status=problem.status,
        body=encode(problem),
        media_type=MEDIA_TYPE,
        headers={**headers, **headers_of(error)},
    )


async def read_body(
    receive: Any, limit: int, *, first: Any = None, within_s: float | None = None
) -> bytes:
    """Return the body of a request; `first` is its first message, if already received.

    Raises:
        BodyStalled: the rest of the body takes longer than `within_s` seconds.
        TooLarge: the body has more than `limit` bytes; the rest is not read.
        InvalidRequest: the caller closed the connection before the end of the body.
    """
    message = await receive() if first is None else first
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        parts = [body]
        size = len(body)
        try:
            async with asyncio.timeout(within_s):
                while message.get("more_body") and size <= limit:
                    message = await receive()
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
        except TimeoutError:
            raise BodyStalled("the body came too slowly; send it again") from None
        body = b"".join(parts)
    if message["type"] == "http.disconnect":
        raise InvalidRequest("the body was cut off")
    if len(body) > limit:
        raise TooLarge(f"the body has more than {limit} bytes")
    return body


async def send_reply(send: Any, reply: Reply, request_id: bytes) -> None:
    """Send an answer on plain ASGI, with the headers that every answer has."""
    # As `checker.api.manners.finished`, which takes three times as long.
    headers = [NO_SNIFF, (REQUEST_ID_HEADER, request_id)]
    if reply.status not in BODILESS:
        headers.append((b"content-type", reply.media_type.encode()))
        headers.append((b"content-length", b"%d" % len(reply.body)))
    own = reply.headers
    if "cache-control" not in own and "etag" not in own:
        headers.append(NO_STORE)
    for name, value in own.items():
        headers.append((name.encode(), value.encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
