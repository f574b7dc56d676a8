"""The head of the last check on a connection, so that an equal head is not parsed again.

A caller sends the same head with each check, but for the length of the body. A head that was parsed
and accepted once is kept as bytes. The next request is compared with these bytes:

    POST /v1/checks HTTP/1.1 … Content-Length:  157  \\r\\n … \\r\\n\\r\\n  body of 157 bytes
    └────────────── `before` ────────────────┘      └──── `after` ────┘

Equal bytes mean the same to the parser. So the request is the accepted one, with another body.
"""

import re
from typing import Final, Self

from checker.api.exchange import CHECK_BYTES_MAX

_LENGTH: Final = re.compile(rb"\r\nContent-Length: ?([0-9]{1,5})(?=\r\n)", re.IGNORECASE)
_DIGITS_MAX: Final = 5
_HEAD_END: Final = b"\r\n\r\n"


class KnownHead:
    """The head of a request that one read brought whole; `digest` and `address` are its caller's.

    `digest` is the digest of the key. `address` is the address behind trusted proxies.
    """

    __slots__ = ("_after", "_before", "address", "digest")

    def __init__(self, before: bytes, after: bytes, digest: bytes, address: str) -> None:
        self._before = before
        self._after = after
        self.digest = digest
        self.address = address

    @classmethod
    def of(cls, data: bytes, digest: bytes, address: str) -> Self | None:
        """Return the head of a request; None: `data` is more or less than one request."""
        end = data.find(_HEAD_END) + len(_HEAD_END)
        length = _LENGTH.search(data, 0, end)
        if length is None:
            return None
        head = cls(data[: length.start(1)], data[length.end(1) : end], digest, address)
        return None if head.body_in(data) is None else head

    def body_in(self, data: bytes) -> bytes | None:
        """Return the body of a request with this head; None: `data` is not one such request."""
        before, after = self._before, self._after
        if not data.startswith(before):
            return None
        start = len(before)
        end = data.find(b"\r", start, start + _DIGITS_MAX + 1)
        if not data.startswith(after, end):
            return None
        digits = data[start:end]
        body = data[end + len(after) :]
        if digits.isdigit() and len(body) == int(digits) <= CHECK_BYTES_MAX:
            return body
        return None
