"""A body that is used while it comes in: past sales, of which each line is answered by itself."""

from collections.abc import AsyncIterator
from time import perf_counter
from typing import Any

from litestar import Request

from checker.errors import InvalidRequest


class Transfer:
    """One body as it comes in; a transfer that was cut off is no end of what it brings."""

    def __init__(self, request: Request[Any, Any, Any], *, if_cut: str) -> None:
        self._request = request
        self._if_cut = if_cut
        self._ended_at = perf_counter()

    @property
    def seconds_since_end(self) -> float:
        """How long ago the last byte came."""
        return perf_counter() - self._ended_at

    async def chunks(self) -> AsyncIterator[bytes]:
        """Pass the body on.

        Raises:
            InvalidRequest: the sender went away before its end.
        """
        more = True
        while more:
            message: Any = await self._request.receive()
            if message["type"] == "http.disconnect":
                raise InvalidRequest(self._if_cut)
            more = message.get("more_body", False)
            self._ended_at = perf_counter()
            yield message.get("body", b"")
