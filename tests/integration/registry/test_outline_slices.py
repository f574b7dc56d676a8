"""All outlines are read in slices: a reader may stop between two of them."""

import asyncio

import pytest
from sqlalchemy import LargeBinary, func, select, text

from checker.publication.outline_slices import SLICE_ROWS, outlines
from checker.registry.schema import outline
from tests.support.registry_grounds import PATIENCE_S
from tests.support.token_keys import open_registry

pytestmark = pytest.mark.anyio

ROWS = 50_000
FILL = """
    INSERT INTO outline (token, outline)
    SELECT decode(md5(n::text), 'hex'), decode('01' || repeat('00', n % 64), 'hex')
    FROM generate_series(1, :rows) AS n
"""


@pytest.fixture
async def registry(anyio_backend, database_url):
    async with (
        open_registry(database_url, timeout_s=None) as engine,
        engine.connect() as connection,
    ):
        await connection.execute(text(FILL), {"rows": ROWS})
        yield connection


async def test_all_rows_come_whole_and_in_the_order_of_their_tokens(registry):
    slices = [rows async for rows in outlines(registry)]
    stored = select(outline.c.token.cast(LargeBinary), outline.c.outline)
    expected = await registry.execute(stored.order_by(outline.c.token))
    assert [tuple(row) for rows in slices for row in rows] == [tuple(row) for row in expected]
    assert {len(rows) for rows in slices[:-1]} == {SLICE_ROWS}


async def test_an_empty_table_has_no_rows(registry):
    await registry.execute(text("TRUNCATE outline"))
    assert [rows async for rows in outlines(registry)] == []


async def test_a_reader_that_stops_in_the_middle_can_go_on_with_the_transaction(registry):
    slices = outlines(registry)
    assert len(await anext(slices)) == SLICE_ROWS
    await slices.aclose()
    assert (await registry.execute(select(func.count()).select_from(outline))).scalar_one() == ROWS


async def test_a_reader_that_is_cancelled_while_it_waits_for_a_slice_ends(registry):
    slices = outlines(registry)
    await anext(slices)
    reading = asyncio.ensure_future(anext(slices))
    await asyncio.sleep(0)
    reading.cancel()
    done, _ = await asyncio.wait([reading], timeout=PATIENCE_S)
    assert done == {reading}
    assert reading.cancelled()
