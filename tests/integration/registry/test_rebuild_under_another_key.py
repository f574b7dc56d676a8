"""The registry's token key is replaced, and the leader builds the list in the cache anew."""

from contextlib import aclosing, asynccontextmanager

import pytest
from sqlalchemy import text

from cache.errors import CacheUnvouched
from cache.redis_list_writer import RedisListWriter
from cache.redis_parts import RedisParts
from cache.redis_store import Patience, RedisStandingCache
from cache.verification import Walk
from checker.database.engine import open_engine
from checker.publication.publisher import Publisher
from checker.publication.verification import Verification
from checker.work import working
from tests.support.cache_keys import token_keys
from tests.support.registry_grounds import (
    PATIENCE_S,
    document_of,
    person_listing,
    publish,
    resident_id,
    serving,
    settled,
    until,
)

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def publishing(config, keys):
    """Publish with these keys; give the cache."""
    url = config.redis_url
    async with (
        open_engine(config.database_url, timeout_s=None, token_keys=keys) as engine,
        aclosing(RedisListWriter.connect(url, token_keys=keys)) as list_writer,
        aclosing(RedisParts.connect(url)) as parts,
        aclosing(
            RedisStandingCache.connect(url, token_keys=keys, patience=Patience(lookup_s=PATIENCE_S))
        ) as cache,
    ):
        publisher = Publisher(
            engine=engine,
            cache=cache,
            list_writer=list_writer,
            token_keys=keys,
            verification=Verification(cache, Walk(parts, token_keys=keys)),
        )
        async with working(publisher.works()):
            yield cache


async def replace_key(config, old, new):
    """Do what a replacement of the token key does to what the publisher reads."""
    async with open_engine(config.database_url) as engine, engine.begin() as connection:
        fence = f"ALTER TABLE token_fence_{old.number} RENAME TO token_fence_{new.number}"
        await connection.execute(text(fence))
        for table in ("outline", "outbox"):
            rows = await connection.execute(text(f"SELECT DISTINCT token FROM {table}"))
            update = text(f"UPDATE {table} SET token = :new WHERE token = :old")
            for (held,) in rows.all():
                replaced = new.stored(old.restored(held))
                await connection.execute(update, {"old": held, "new": replaced})


async def test_the_leader_builds_the_list_under_the_key_that_the_registry_names(config, clock):
    async with serving(config, clock) as node:
        await publish(node, [person_listing(index) for index in range(20)])
        await settled(node)
        tokens = [node.sealer.document_token(document_of(resident_id(i))) for i in range(25)]
        expected = (await node.cache.lookup(tokens)).values
    assert [value is not None for value in expected] == [True] * 20 + [False] * 5

    keys = token_keys()
    async with publishing(config, keys) as cache:

        async def key_in_use():
            """Return the number of the key of the live list, where that is vouched for."""
            try:
                lookup = await cache.lookup(tokens)
            except CacheUnvouched:
                return None
            assert lookup.values == expected
            return keys.known(lookup.generation.token_key).number

        async def uses(number):
            return await key_in_use() == number

        assert await until(key_in_use) == 1
        for number in (2, 3):
            await replace_key(config, keys.current, keys.numbered(number))
            await until(lambda number=number: uses(number))
            assert keys.current.number == number
