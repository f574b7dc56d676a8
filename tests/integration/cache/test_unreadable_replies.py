"""A server that returns anything at all is an outage of the cache, and never a bug of ours."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from random import Random
from typing import Any

import hiredis
import pytest

from cache.changes import Change
from cache.claim import NamespaceClaim
from cache.counting.quota import MINUTE, Limit, RedisQuota
from cache.counting.tally import Noted, RedisTally
from cache.errors import CacheError
from cache.generation import Generation, encode_pointer
from cache.list_writer import slices
from cache.parts import touched_by
from cache.redis_list_writer import RedisListWriter
from cache.redis_parts import RedisParts
from cache.redis_replica_source import RedisReplicaSource
from cache.redis_store import RedisStandingCache
from cache.token import Token
from tests.support.cache_keys import token_keys
from tests.support.positions import position

pytestmark = pytest.mark.anyio

TOKEN_KEYS = token_keys()
TOKEN = Token(bytes(16))
GENERATION = Generation.plan(
    position=position(3),
    token_key=TOKEN_KEYS.current.fingerprint,
    entries=9,
    segment_blocks=64,
)
CHANGE = Change(before=position(3), after=position(4), outlines={TOKEN: b"x"})
ROUNDS = 40

_HANDSHAKE = {
    b"maxmemory_policy:noeviction": (b"INFO", b"memory"),
    b"cluster_enabled:0": (b"INFO", b"cluster"),
}
_LEAVES: tuple[Any, ...] = (
    None,
    0,
    1,
    -1,
    1 << 62,
    b"",
    b"x",
    b"\xff" * 16,
    b"1-1",
    b"run_id:00ff",
    encode_pointer(GENERATION),
    b'{"version":99999999999999999999,"as_of_ms":1,"change_id":"z"}',
    RuntimeError("ERR"),
)


def anything(draw: Random, depth: int = 3) -> Any:
    """Return any reply: a leaf, or a list of replies."""
    if depth and draw.random() < 0.4:
        return [anything(draw, depth - 1) for _ in range(draw.randrange(9))]
    return draw.choice(_LEAVES)


def packed(reply: Any) -> bytes:
    """Return a reply as RESP2 writes it."""
    match reply:
        case None:
            return b"$-1\r\n"
        case int():
            return b":%d\r\n" % reply
        case bytes():
            return b"$%d\r\n%s\r\n" % (len(reply), reply)
        case list():
            return b"*%d\r\n%s" % (len(reply), b"".join(map(packed, reply)))
        case _:
            return b"-ERR anything\r\n"


@asynccontextmanager
async def serving_anything(draw: Random) -> AsyncIterator[str]:
    """Give the URL of a server that answers each command, after the handshake, with anything."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        commands = hiredis.Reader()
        with suppress(OSError):  # the driver hangs up where the protocol itself is broken
            while chunk := await reader.read(65_536):
                commands.feed(chunk)
                while (command := commands.gets()) is not False:
                    asked = tuple(command[:2])
                    known = next((told for told, by in _HANDSHAKE.items() if by == asked), None)
                    writer.write(packed(anything(draw) if known is None else known))
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def no_errors_but_ours(ask: Callable[[], Awaitable[Any]]) -> None:
    for _ in range(ROUNDS):
        try:
            await ask()
        except CacheError:
            continue


async def test_the_store_meets_anything(seed: int) -> None:
    async with (
        serving_anything(Random(seed)) as url,
        aclosing(RedisStandingCache.connect(url, token_keys=TOKEN_KEYS)) as store,
    ):
        for ask in (
            lambda: store.lookup([TOKEN]),
            store.current,
            lambda: store.switch(GENERATION),
            store.sweep,
            store.verify_policy,
            store.withdraw,
        ):
            await no_errors_but_ours(ask)


async def test_a_reader_of_the_stream_meets_anything(seed: int) -> None:
    async with (
        serving_anything(Random(seed)) as url,
        aclosing(RedisReplicaSource.connect(url, token_keys=TOKEN_KEYS)) as source,
    ):
        for ask in (
            source.load,
            lambda: source.read_stream("1-1", wait_s=0),
            lambda: source.acknowledge("node", position(3)),
            source.nodes,
            lambda: source.drop_behind(3),
        ):
            await no_errors_but_ours(ask)


async def test_the_publisher_meets_anything(seed: int) -> None:
    touched = touched_by(next(slices(CHANGE, TOKEN_KEYS.current)), GENERATION)
    async with (
        serving_anything(Random(seed)) as url,
        aclosing(RedisListWriter.connect(url, token_keys=TOKEN_KEYS)) as writer,
        aclosing(RedisParts.connect(url)) as parts,
    ):
        for ask in (
            writer.state,
            lambda: writer.apply(GENERATION, CHANGE, live=True),
            lambda: writer.vouch(GENERATION, position(3), asked_ms_ago=0),
            writer.recent,
            lambda: parts.held(GENERATION, touched),
            lambda: parts.records(GENERATION),
            lambda: parts.shelf(GENERATION, 0),
            lambda: parts.segment(GENERATION, 0),
        ):
            await no_errors_but_ours(ask)


async def test_counts_and_claims_meet_anything(seed: int) -> None:
    limits = (Limit(name="key", items=100, window=MINUTE),)
    noted = [Noted(name="a", group="g", items=1, hits=0, elements=(b"x",))]
    async with (
        serving_anything(Random(seed)) as url,
        aclosing(RedisQuota(url)) as quota,
        aclosing(RedisTally(url)) as tally,
    ):
        claim = NamespaceClaim(url, token_keys=TOKEN_KEYS, namespace="checker")
        for ask in (
            lambda: quota.take(1, limits),
            lambda: tally.add(noted, regular_from=10),
            claim.hold,
        ):
            await no_errors_but_ours(ask)
