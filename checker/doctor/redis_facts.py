"""Asks a Redis or a Valkey for the facts of an examination.

A Redis that the service refuses, because it evicts, is asked all the same. So this file uses the
driver's own client, and not `cache.redis_pipe`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from redis.asyncio import ConnectionPool, Redis
from redis.exceptions import RedisError, ResponseError

from cache.errors import CacheError, CacheUnavailable
from cache.redis_replica_source import RedisReplicaSource
from cache.redis_sentinel import Sentinels
from cache.redis_url import redis_target
from cache.replica_source import HeldChange
from cache.token_key import TokenKeys
from checker.doctor.clocks import ahead_s
from checker.doctor.cluster_facts import ClusterFacts, read_cluster
from checker.domain.clock import Clock
from checker.errors import Unavailable

ANSWER_S_MAX: Final = 2.0
"""For one answer: an examination has more patience than a check."""

_NO_SETTINGS: Final[Mapping[str, str]] = {}


class RedisFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The answers of Redis. `info` has all fields of INFO; `settings` is empty where forbidden.

    On a cluster both are those of the master that owns the list, and `cluster` is not None.
    `head` is the newest change that Redis holds. `nodes` is the number of nodes that are not
    silent. Both are None where Redis is not fit for the list.
    """

    info: Mapping[str, Any]
    settings: Mapping[str, str]
    ahead_s: float
    head: HeldChange | None
    nodes: int | None
    cluster: ClusterFacts | None = None


async def read_redis(url: str, namespace: str, token_keys: TokenKeys, clock: Clock) -> RedisFacts:
    """Return the facts.

    Raises:
        Unavailable: Redis does not answer, or refuses; the text names the error and no part of
            the URL.
    """
    try:
        pool, cluster = await _pool(url, namespace)
        async with Redis.from_pool(pool) as redis:
            info = await redis.info("all")
            before = clock.now()
            seconds, microseconds = await redis.time()
            after = clock.now()
            settings = await _settings(redis)
    except (RedisError, OSError, CacheUnavailable) as error:
        raise Unavailable(f"does not answer ({type(error).__name__})") from None
    now = datetime.fromtimestamp(seconds + microseconds / 1e6, UTC)
    head, nodes = await _list_state(url, namespace, token_keys)
    return RedisFacts(
        info=info,
        settings=settings,
        ahead_s=ahead_s(before, now, after),
        head=head,
        nodes=nodes,
        cluster=cluster,
    )


async def _pool(url: str, namespace: str) -> tuple[ConnectionPool, ClusterFacts | None]:
    """Return a pool of connections to the server that holds the list, and the cluster's facts."""
    target = redis_target(url)
    pool, cluster = _pool_of(target.url), None
    if target.nodes:

        def pool_of(host: str, port: int) -> ConnectionPool:
            return _pool_of(target.url, host=host, port=port, decode_responses=True)

        cluster, (host, port) = await read_cluster(target.nodes, pool_of, namespace)
        pool.connection_kwargs |= {"host": host, "port": port}
    if target.sentinels is not None:
        host, port = await Sentinels(target.sentinels, pool).master()
        pool.connection_kwargs |= {"host": host, "port": port}
    # The names of sentinels come as bytes, and the answers of the server as text.
    pool.connection_kwargs["decode_responses"] = True
    return pool, cluster


def _pool_of(url: str, **options: Any) -> ConnectionPool:
    pool = ConnectionPool.from_url(
        url, socket_timeout=ANSWER_S_MAX, socket_connect_timeout=ANSWER_S_MAX
    )
    pool.connection_kwargs |= options
    return pool


async def _settings(redis: Redis) -> Mapping[str, str]:
    """Return the settings; managed services forbid CONFIG, and then there are none."""
    try:
        found = await redis.config_get("*")
    except ResponseError:
        return _NO_SETTINGS
    return {str(name): str(value or "") for name, value in found.items()}


async def _list_state(
    url: str, namespace: str, token_keys: TokenKeys
) -> tuple[HeldChange | None, int | None]:
    """Return the newest change in Redis, and the number of live nodes."""
    source = RedisReplicaSource.connect(url, token_keys=token_keys, namespace=namespace)
    try:
        found = await source.nodes()
    except CacheError:
        return None, None
    finally:
        await source.aclose()
    return found.head, len(found.nodes.keys() - found.silent)
