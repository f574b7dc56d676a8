"""One connection to Redis that carries whole pipelines, each under one deadline.

redis-py gives the connection (URL, TLS, password, handshake, hiredis). Its command layer is not
used, for two reasons. Measured side by side, packing and reading here takes a seventh of the time
of redis-py's pipelines for each command, and 0.6 of the time for a round trip of two commands. And
a time-out of redis-py counts for each reply, so a thousand slow replies add up; the deadline here
counts for the whole pipeline.

A new connection first asks for Redis's eviction policy, and is not used where Redis may drop our
keys. So a Redis that was replaced or reconfigured is never read without this look. Where sentinels
name the server, each new connection goes to the master of that moment, if it still is the master.

On a cluster each new connection goes to the owner of the slot that holds the keys. Each pipeline
begins with a guard: a question about a key of this slot that never exists. A master returns 0 only
where it owns the whole slot. Otherwise the guard's reply is an error, and the pipeline has failed:

    MOVED          another master owns the slot: the pipeline is sent there, once
    ASK            the slot is being moved, and its keys are on two servers: Redis counts as away
    CLUSTERDOWN    the cluster has no master for a slot, or this master is cut off

Behind a guard that held, a reply without a value means that the key does not exist: a slot that is
moved from then on returns ASK for a key that has left, and TRYAGAIN for a script of such keys.
No ASK is ever followed. So all values of one pipeline are of one server that owned all keys.

Every error of the driver ends here. This file knows the replies to its own questions, and no key
but the guard's.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import hiredis
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError

from cache.errors import CacheMisconfigured, CacheUnavailable
from cache.eviction import refuse_evicting_by
from cache.redis_cluster import ClusterNodes
from cache.redis_sentinel import Sentinels
from cache.redis_url import redis_target

Command: TypeAlias = tuple[str | bytes | int, ...]
Reply: TypeAlias = Any
"""A reply of RESP2: bytes, int, None or a list of them."""

CONNECT_S_MIN = 0.25
"""A question that makes the connection first may take so long at least. A handshake takes longer
than a question, and on a busy machine it would otherwise never come to its end."""

SEARCH_S_MIN = 2 * CONNECT_S_MIN
"""The same on a cluster, where another server is asked first who the owner is."""

GRACE_S = 0.01
"""A reply that lies ready while this process was busy is read in this time."""

# INFO and not CONFIG, which managed services forbid.
POLICY_QUESTION: Command = ("INFO", "memory")
CLUSTER_QUESTION: Command = ("INFO", "cluster")
ROLE_QUESTION: Command = ("INFO", "replication")

# Its stub asks for a tuple of one; any length and mix of these is packed.
_pack: Callable[[Command], bytes] = hiredis.pack_command  # type: ignore[assignment]


class CommandRefused(CacheUnavailable):
    """Redis answered, with an error: out of memory, no permission, wrong type."""


class AccessRefused(CommandRefused):
    """Redis does not let this deployment in: password, user or database number. Mend the URL."""


class CertificateRefused(CacheUnavailable):
    """The certificate of the server has expired, names another host, or is of nobody trusted."""


def _meaning_of(error: RedisError) -> CacheUnavailable:
    """Return our error for an error of the driver; Redis's own text repeats nothing that was sent.

    The driver wraps a refusal during the handshake in an error of the connection.
    """
    text = str(error)
    for sign, meaning in _ACCESS_REFUSALS.items():
        if sign in text:
            return AccessRefused(meaning)
    if isinstance(error, _ELSEWHERE):
        return CacheUnavailable("the slot of the keys has no master now, or is being moved")
    if _CERTIFICATE_REFUSAL in text:
        return CertificateRefused(f"the certificate of Redis is refused: {text}")
    if isinstance(error, ResponseError):
        return CommandRefused(f"Redis refused a command: {text}")
    return CacheUnavailable(f"no connection to Redis: {text}")


_ELSEWHERE = (AskError, TryAgainError, ClusterDownError)
"""The refusals of a cluster; MOVED is an ASK to the driver."""

_CERTIFICATE_REFUSAL = "CERTIFICATE_VERIFY_FAILED"
"""The word of OpenSSL, which the driver repeats in the text of its own error."""

_ACCESS_REFUSALS = {
    "called without any password": "Redis has no password, and the URL has one",
    "WRONGPASS": "Redis does not know this password or user",
    "invalid username-password": "Redis does not know this password or user",
    "invalid password": "Redis does not know this password or user",
    "NOAUTH": "Redis wants a password, and the URL has none",
    "Authentication required": "Redis wants a password, and the URL has none",
    "DB index is out of range": "Redis has no database of this number",
    "invalid DB index": "Redis has no database of this number",
    "SELECT is not allowed": "a cluster has the database 0 alone",
}
"""By words of Redis, Valkey and the driver, in order of precedence."""


class Pipe:
    """A connection made when first needed, replaced when broken, used by one pipeline at a time."""

    def __init__(self, url: str, stem: str, *, timeout_s: float) -> None:
        """All keys of all commands begin with `stem` (`cache.keys`).

        Raises CacheMisconfigured: the URL names no Redis.
        """
        target = redis_target(url)
        self.in_cluster = bool(target.nodes)
        self._connect_s_max = max(timeout_s, SEARCH_S_MIN if self.in_cluster else CONNECT_S_MIN)
        self._pool = ConnectionPool.from_url(
            target.url,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=self._connect_s_max,
            socket_timeout=None,  # the deadline is ours, one for all replies
            driver_info=None,  # or each connection would ask for one right more
        )
        self._sentinels = target.sentinels and Sentinels(target.sentinels, self._pool)
        guard = f"{stem}:"
        self._nodes = ClusterNodes(target.nodes, self._pool, guard) if self.in_cluster else None
        self._guard = _pack(("EXISTS", guard)) if self.in_cluster else b""
        self.connections = 0
        """The number of connections so far: two questions under one number had one server."""
        self._timeout_s = timeout_s
        self._connection: AbstractConnection | None = None
        self._turn = asyncio.Lock()

    async def ask(self, commands: Sequence[Command], *, again: bool = True) -> list[Reply]:
        """Send the commands together and return their replies in order.

        Not a transaction: others' commands may run in between. They may run twice if the connection
        breaks; with `again` False they are never sent a second time, and may still have run when
        this raises. Raises CacheUnavailable, as CommandRefused if one of the replies is an error.
        """
        packed = self._guard + b"".join([_pack(command) for command in commands])
        async with self._turn:
            patience_s = self._patience_s
            try:
                async with _deadline(patience_s):
                    return await self._exchange(packed, len(commands), again)
            except TimeoutError as error:
                raise CacheUnavailable(f"no reply in {patience_s} s") from error
            except RedisError as error:
                raise _meaning_of(error) from error
            except OSError as error:
                raise CacheUnavailable(f"no connection to Redis: {error}") from error

    async def aclose(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect()

    @property
    def _patience_s(self) -> float:
        return self._connect_s_max if self._connection is None else self._timeout_s

    async def _exchange(self, packed: bytes, replies: int, again: bool) -> list[Reply]:
        reused = self._connection is not None
        try:
            return await self._send(packed, replies)
        except (RedisConnectionError, MovedError):
            # Redis, or a proxy before it, may end an idle connection; that is no outage. Nor is a
            # slot that another master owns by now.
            if not (reused and again):
                raise
            return await self._send(packed, replies)

    async def _send(self, packed: bytes, replies: int) -> list[Reply]:
        connection = self._connection
        if connection is None:
            connection = self._connection = await self._connect()
            self.connections += 1
        try:
            await connection.send_packed_command(packed, check_health=False)
            if self._guard:
                await connection.read_response()
            return [await connection.read_response() for _ in range(replies)]
        except BaseException:
            # Replies may still be on their way: never let the next question read them.
            self._connection = None
            await connection.disconnect(nowait=True)
            raise

    async def _connect(self) -> AbstractConnection:
        """Return a connection to a server that is fit for our keys."""
        if self._nodes is not None:
            return await self._nodes.connect_to_owner(self._connect_to)
        if self._sentinels is not None:
            return await self._connect_to(*await self._sentinels.master())
        return await self._opened(self._pool.make_connection())  # type: ignore[no-untyped-call]

    async def _connect_to(self, host: str, port: int) -> AbstractConnection:
        options: dict[str, Any] = {**self._pool.connection_kwargs, "host": host, "port": port}
        return await self._opened(self._pool.connection_class(**options))

    async def _opened(self, connection: AbstractConnection) -> AbstractConnection:
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
            questions = _pack(POLICY_QUESTION) + _pack(CLUSTER_QUESTION) + self._guard
            await connection.send_packed_command(questions, check_health=False)
            await _refuse_unfit(connection, in_cluster=self.in_cluster)
            if self._guard:
                await connection.read_response()
            if self._sentinels is not None:
                await _refuse_replica(connection)
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        return connection


@asynccontextmanager
async def _deadline(timeout_s: float) -> AsyncIterator[None]:
    """Raise TimeoutError after `timeout_s`, and not for a reply that lies ready unread.

    A loop that was busy runs its timers before its tasks. So the time is moved on once, and the
    loop reads in between.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(timeout_s + GRACE_S) as bound:
        due = loop.call_later(timeout_s, lambda: bound.reschedule(loop.time() + GRACE_S))
        try:
            yield
        finally:
            due.cancel()


async def _refuse_unfit(connection: AbstractConnection, *, in_cluster: bool) -> None:
    """Raise CacheMisconfigured where Redis may evict the list, or is a cluster unlike its URL.

    Both questions were sent.
    """
    try:
        policy = await connection.read_response()
        cluster = await connection.read_response()
    except ResponseError as error:
        raise CacheMisconfigured("Redis does not tell its eviction policy") from error
    if (b"cluster_enabled:1" in cluster) != in_cluster:
        raise CacheMisconfigured(
            "Redis is no cluster: name it by redis://"
            if in_cluster
            else "Redis is a cluster: name it by redis+cluster://"
        )
    refuse_evicting_by(policy)


async def _refuse_replica(connection: AbstractConnection) -> None:
    """Raise CacheUnavailable where the server is no master any more."""
    await connection.send_packed_command(_pack(ROLE_QUESTION), check_health=False)
    if b"role:master" not in await connection.read_response():
        raise CacheUnavailable("the server that the sentinels name is no longer the master")
