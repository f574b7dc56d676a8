"""Values that end by themselves when nobody asks for them: the sessions of a browser.

    <namespace>:session:<id>    the value, as bytes; Redis drops it `idle_s` after the last `get`

A value that is lost with Redis is gone. The file knows neither what an id nor what a value means.
"""

from cache.keys import DEFAULT_NAMESPACE, KeyFamily
from cache.redis_cluster import stem_at
from cache.redis_pipe import Pipe


class RedisSessions:
    """Keeps values for as long as somebody asks for them. Every method raises CacheUnavailable."""

    def __init__(
        self, url: str, *, namespace: str = DEFAULT_NAMESPACE, timeout_s: float = 0.25
    ) -> None:
        stem = stem_at(url, namespace, KeyFamily.PAGES)
        self._pipe = Pipe(url, stem, timeout_s=timeout_s)
        self._stem = f"{stem}:session:"

    async def put(self, session_id: str, value: bytes, *, idle_s: int) -> None:
        """Store a value under an id, in place of an older one."""
        await self._pipe.ask([("SET", self._stem + session_id, value, "EX", idle_s)])

    async def get(self, session_id: str, *, idle_s: int | None) -> bytes | None:
        """Return the value of an id, and let it live for `idle_s` more; None: there is none.

        With `idle_s` None the value lives as long as before.
        """
        key = self._stem + session_id
        question = ("GET", key) if idle_s is None else ("GETEX", key, "EX", idle_s)
        [value] = await self._pipe.ask([question])
        return None if value is None else bytes(value)

    async def delete(self, session_id: str) -> None:
        """Delete the value of an id, if there is one."""
        await self._pipe.ask([("DEL", self._stem + session_id)])

    async def aclose(self) -> None:
        """Close the connection."""
        await self._pipe.aclose()
