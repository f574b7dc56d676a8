"""One connection to Redis that carries whole pipelines, each under one deadline.

redis-py gives the connection (URL, TLS, password, handshake, hiredis). Its command layer is not
used, for two reasons. Measured side by side, packing and reading here takes a seventh of the time
of redis-py's pipelines for each command, and 0.6 of the time for a round trip of two commands. And
a time-out of redis-py counts for each reply, so a thousand slow replies add up; the deadline here
counts for the whole pipeline.

A new connection first asks for Redis's eviction policy, and is not used where Redis may drop our
keys. So a Redis that was replaced or reconfigured is never read without this look. Where sentinels
name the server, each new connection goes to the master of that moment, if it still is the master.

Every error of the driver ends here. This file knows the replies to its own questions, and no key.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import hiredis
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from cache.errors import CacheMisconfigured, CacheUnavailable
from cache.eviction import refuse_evicting_by
from cache.redis_sentinel import Sentinels
from cache.redis_url import redis_target

Command: TypeAlias = tuple[str | bytes | int, ...]
Reply: TypeAlias = Any
"""A reply of RESP2: bytes, int, None or a list of them."""

CONNECT_S_MIN = 0.25
"""A question that makes the connection first may take so long at least. A handshake takes longer
than a question, and on a busy machine it would otherwise never come to its end."""

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
    if _CERTIFICATE_REFUSAL in text:
        return CertificateRefused(f"the certificate of Redis is refused: {text}")
    if isinstance(error, ResponseError):
        return CommandRefused(f"Redis refused a command: {text}")
    return CacheUnavailable(f"no connection to Redis: {text}")


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

    def __init__(self, url: str, *, timeout_s: float) -> None:
        """Raises CacheMisconfigured: the URL names no Redis."""
        target = redis_target(url)
        self._pool = ConnectionPool.from_url(
            target.url,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=max(timeout_s, CONNECT_S_MIN),
            socket_timeout=None,  # the deadline is ours, one for all replies
        )
        self._sentinels = target.sentinels and Sentinels(target.sentinels, self._pool)
        self._timeout_s = timeout_s
        self._connection: AbstractConnection | None = None
        self._turn = asyncio.Lock()

    async def ask(self, commands: Sequence[Command], *, again: bool = True) -> list[Reply]:
        """Send the commands together and return their replies in order.

        Not a transaction: others' commands may run in between. They may run twice if the connection
        breaks; with `again` False they are never sent a second time, and may still have run when
        this raises. Raises CacheUnavailable, as CommandRefused if one of the replies is an error.
        """
        packed = b"".join([_pack(command) for command in commands])
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
        if self._connection is None:
            return max(self._timeout_s, CONNECT_S_MIN)
        return self._timeout_s

    async def _exchange(self, packed: bytes, replies: int, again: bool) -> list[Reply]:
        reused = self._connection is not None
        try:
            return await self._send(packed, replies)
        except RedisConnectionError:
            # Redis, or a proxy before it, may end an idle connection; that is no outage.
            if not (reused and again):
                raise
            return await self._send(packed, replies)

    async def _send(self, packed: bytes, replies: int) -> list[Reply]:
        connection = self._connection
        if connection is None:
            connection = self._connection = await self._new_connection()
        try:
            if not connection.is_connected:
                await connection.connect()
                await _refuse_unfit(connection)
                if self._sentinels is not None:
                    await _refuse_replica(connection)
            await connection.send_packed_command(packed, check_health=False)
            return [await connection.read_response() for _ in range(replies)]
        except BaseException:
            # Replies may still be on their way: never let the next question read them.
            self._connection = None
            await connection.disconnect(nowait=True)
            raise

    async def _new_connection(self) -> Any:
        if self._sentinels is None:
            return self._pool.make_connection()  # type: ignore[no-untyped-call]
        host, port = await self._sentinels.master()
        options = {**self._pool.connection_kwargs, "host": host, "port": port}
        return self._pool.connection_class(**options)


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


async def _refuse_unfit(connection: AbstractConnection) -> None:
    """Raise CacheMisconfigured where Redis may evict the list, or is a cluster."""
    questions = _pack(POLICY_QUESTION) + _pack(CLUSTER_QUESTION)
    await connection.send_packed_command(questions, check_health=False)
    try:
        policy = await connection.read_response()
        cluster = await connection.read_response()
    except ResponseError as error:
        raise CacheMisconfigured("Redis does not tell its eviction policy") from error
    if b"cluster_enabled:1" in cluster:
        raise CacheMisconfigured("Redis is a cluster, which is not supported yet")
    refuse_evicting_by(policy)


async def _refuse_replica(connection: AbstractConnection) -> None:
    """Raise CacheUnavailable where the server is no master any more."""
    await connection.send_packed_command(_pack(ROLE_QUESTION), check_health=False)
    if b"role:master" not in await connection.read_response():
        raise CacheUnavailable("the server that the sentinels name is no longer the master")
