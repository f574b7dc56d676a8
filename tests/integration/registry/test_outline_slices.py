"""Reading all outlines: whoever stops in the middle of it is held up by nothing."""

import asyncio

import pytest
from sqlalchemy import func, select, text

from checker.database.engine import open_engine
from checker.publication.outline_copy import CHUNKS_AHEAD, outlines
from checker.registry.schema import outline
from tests.support.registry_grounds import PATIENCE_S

pytestmark = pytest.mark.anyio

ROWS = 50_000
FILL = """
    INSERT INTO outline (token, outline)
    SELECT decode(md5(n::text), 'hex'), decode('01' || repeat('00', n % 64), 'hex')
    FROM generate_series(1, :rows) AS n
"""


@pytest.fixture
async def registry(anyio_backend, database_url):
    async with open_engine(database_url, timeout_s=None) as engine, engine.connect() as connection:
        await connection.execute(text(FILL), {"rows": ROWS})
        yield connection


async def taken(batches, number):
    """Take some batches, and stop."""
    rows = []
    async for batch in batches:
        rows += batch
        number -= 1
        if number == 0:
            break
    return rows


async def test_all_rows_come_whole_and_in_the_order_of_their_tokens(registry):
    async with outlines(registry) as batches:
        rows = [row async for batch in batches for row in batch]
    expected = await registry.execute(select(outline).order_by(outline.c.token))
    assert rows == [tuple(row) for row in expected]
    assert len(rows) == ROWS


async def test_an_empty_table_has_no_rows(registry):
    await registry.execute(text("TRUNCATE outline"))
    async with outlines(registry) as batches:
        assert [row async for batch in batches for row in batch] == []


async def test_whoever_fails_in_the_middle_can_go_on_with_the_transaction(registry):
    class CacheGone(Exception):
        pass

    async def fail():
        async with asyncio.timeout(PATIENCE_S), outlines(registry) as batches:
            await taken(batches, 1)
            raise CacheGone

    with pytest.raises(CacheGone):
        await fail()
    assert (await registry.execute(select(func.count()).select_from(outline))).scalar_one() == ROWS


async def test_whoever_is_cancelled_in_the_middle_ends(registry):
    begun = asyncio.Event()

    async def read():
        async with outlines(registry) as batches:
            assert 0 < len(await taken(batches, 1)) < ROWS // CHUNKS_AHEAD
            begun.set()
            await asyncio.Event().wait()

    reading = asyncio.create_task(read())
    await begun.wait()
    # So many turns of the loop that PostgreSQL is as far ahead as it may be.
    for _ in range(1_000):
        await asyncio.sleep(0)
    reading.cancel()
    done, _ = await asyncio.wait([reading], timeout=PATIENCE_S)
    assert done == {reading}
    assert reading.cancelled()
