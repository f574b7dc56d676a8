"""Finds the master that sentinels watch.

All sentinels are asked at once, and the first answer counts. So a sentinel that is away costs no
time. A sentinel that was cut off may name an old master: therefore the server is asked for its role
before its first use (`cache.redis_pipe`).
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from redis.asyncio.connection import ConnectionPool
from redis.exceptions import RedisError

from cache.errors import CacheUnavailable
from cache.redis_url import SentinelGroup

_QUESTION: Final = ("SENTINEL", "GET-MASTER-ADDR-BY-NAME")


class Sentinels:
    """The sentinels of one master."""

    def __init__(self, group: SentinelGroup, pool: ConnectionPool) -> None:
        """`pool`: makes the connections to the master; the sentinels are asked in the same way."""
        self._group = group
        self._connection_class: Any = pool.connection_class
        self._options: Mapping[str, Any] = pool.connection_kwargs | {
            "username": group.username,
            "password": group.password,
            "db": 0,
        }

    async def master(self) -> tuple[str, int]:
        """Return the host and the port of the master.

        Raises:
            CacheUnavailable: no sentinel that answers knows the master.
        """
        asked = [asyncio.create_task(self._ask(host, port)) for host, port in self._group.addresses]
        try:
            for answer in asyncio.as_completed(asked):
                found = await answer
                if found is not None:
                    return found
        finally:
            for each in asked:
                each.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
        raise CacheUnavailable("no sentinel names the master")

    async def _ask(self, host: str, port: int) -> tuple[str, int] | None:
        connection = self._connection_class(**{**self._options, "host": host, "port": port})
        try:
            await connection.connect()
            await connection.send_command(*_QUESTION, self._group.master)
            found = await connection.read_response()
        except (RedisError, OSError):
            return None
        finally:
            await connection.disconnect(nowait=True)
        return None if found is None else (found[0].decode(), int(found[1]))
