"""A body that is used while it arrives: past sales, each line of which is judged by itself."""

from collections.abc import AsyncIterator
from time import perf_counter
from typing import Any

from litestar import Request

from checker.errors import InvalidRequest


class Transfer:
    """One body as it arrives; a body that was cut off raises an error, and does not just end."""

    def __init__(self, request: Request[Any, Any, Any], *, if_cut: str) -> None:
        self._request = request
        self._if_cut = if_cut
        self._ended_at = perf_counter()

    @property
    def seconds_since_end(self) -> float:
        """Return the seconds since the last bytes arrived."""
        return perf_counter() - self._ended_at

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body, part by part.

        Raises:
            InvalidRequest: the sender closed the connection before the end.
        """
        more = True
        while more:
            message: Any = await self._request.receive()
            if message["type"] == "http.disconnect":
                raise InvalidRequest(self._if_cut)
            more = message.get("more_body", False)
            self._ended_at = perf_counter()
            yield message.get("body", b"")
