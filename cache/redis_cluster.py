"""Finds the master of a Redis cluster that owns the slot of some keys.

Three nodes of the URL are asked at once. Each server that one of them names as the owner is asked
whether it owns the slot. The first server that does is used. So a node that is away costs no time,
and a node that was cut off, and names an old owner, does no harm. The next search asks the next
three nodes. So searches do not ask all nodes of a cluster that is in trouble.

The question is `CLUSTER SLOTS` and not `CLUSTER SHARDS`. Redis 6.2 knows the first alone, and every
newer Redis and Valkey knows both.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.crc import key_slot
from redis.exceptions import RedisError, ResponseError

from cache.errors import CacheMisconfigured, CacheUnavailable
from cache.keys import KeyFamily, Keys, stem_of
from cache.redis_url import Addresses, redis_target
from cache.replies import reads_replies

ASKED_AT_ONCE: Final = 3
"""Enough where two nodes are down, and few where each connection of each process searches."""

_QUESTION: Final = ("CLUSTER", "SLOTS")
_NO_CLUSTER: Final = "cluster support disabled"

Connect: TypeAlias = Callable[[str, int], Awaitable[AbstractConnection]]
"""Returns a connection to the server at a host and port, if it owns the slot."""


class ClusterNodes:
    """The nodes of a cluster that its URL names."""

    def __init__(self, nodes: Addresses, pool: ConnectionPool, key: str) -> None:
        """`pool`: how connections are made. `key`: any key of the slot."""
        self._nodes = deque(nodes)
        self._slot = key_slot(key.encode())
        self._connection_class: Any = pool.connection_class
        self._options: Mapping[str, Any] = pool.connection_kwargs

    async def connect_to_owner(self, connect: Connect) -> AbstractConnection:
        """Return a connection to the master that owns the slot.

        Raises:
            CacheMisconfigured: a server is no cluster, or may evict keys.
            CacheUnavailable: no node that answers names an owner that can be reached.
        """
        asked = [*self._nodes][:ASKED_AT_ONCE]
        self._nodes.rotate(-len(asked))
        opened: dict[tuple[str, int], asyncio.Task[AbstractConnection]] = {}

        async def search(node: tuple[str, int]) -> AbstractConnection:
            owner = await self._owner_by(*node)
            if owner not in opened:
                opened[owner] = asyncio.ensure_future(connect(*owner))
            return await asyncio.shield(opened[owner])

        searches = [asyncio.create_task(search(node)) for node in asked]
        found: AbstractConnection | None = None
        try:
            found = await _first(searches)
            return found
        finally:
            tasks = [*searches, *opened.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for each in opened.values():
                if not each.cancelled() and each.exception() is None and each.result() is not found:
                    await each.result().disconnect(nowait=True)

    @reads_replies
    async def _owner_by(self, host: str, port: int) -> tuple[str, int]:
        """Return the address of the slot's owner, by the word of one node."""
        connection = self._connection_class(**{**self._options, "host": host, "port": port})
        try:
            await connection.connect()
            await connection.send_command(*_QUESTION)
            ranges = await connection.read_response()
        except ResponseError as error:
            if _NO_CLUSTER in str(error):
                raise CacheMisconfigured("Redis is no cluster: name it by redis://") from None
            raise
        finally:
            await connection.disconnect(nowait=True)
        for first, last, master, *_ in ranges:
            if first <= self._slot <= last:
                # A node that does not know its own address names none: it is the one asked.
                return (master[0] or host.encode()).decode(), int(master[1])
        raise CacheUnavailable("no master of the cluster owns the slot of the keys")


async def _first(searches: Iterable[asyncio.Task[AbstractConnection]]) -> AbstractConnection:
    """Return the first connection that is found; raise the last failure where none is."""
    failure: Exception = CacheUnavailable("no node of the cluster answers")
    for each in asyncio.as_completed(searches):
        try:
            return await each
        except CacheMisconfigured:
            raise
        except (RedisError, OSError, CacheUnavailable) as error:
            failure = error
    raise failure


def keys_at(url: str, namespace: str) -> Keys:
    """Return the keys of the list on the Redis at a URL. Raises CacheMisconfigured."""
    return Keys(namespace, in_cluster=_is_cluster(url))


def stem_at(url: str, namespace: str, family: KeyFamily) -> str:
    """Return the beginning of a family's keys on the Redis at a URL. Raises CacheMisconfigured."""
    return stem_of(namespace, family, in_cluster=_is_cluster(url))


def _is_cluster(url: str) -> bool:
    return bool(redis_target(url).nodes)
