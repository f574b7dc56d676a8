"""One keeper of a deployment chains, makes months and removes them; another takes over."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from checker.audit.keeper import AuditKeeper
from checker.work import working
from tests.integration.audit.audit_grounds import AT, KEEP_MONTHS, decision

pytestmark = pytest.mark.anyio

PATIENCE_S = 20


@asynccontextmanager
async def keeping(ground):
    keeper = AuditKeeper(ground.engine, ground.vault, ground.clock, keep_months=KEEP_MONTHS)
    task = asyncio.create_task(keep(keeper))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def keep(keeper):
    async with working([keeper.work()]):
        await asyncio.Event().wait()


async def until_rows(ground, table, count):
    async with asyncio.timeout(PATIENCE_S):
        while True:
            [row] = await ground.query(f"SELECT count(*) AS rows FROM {table}")
            if row.rows >= count:
                return
            await asyncio.sleep(0)


async def test_what_queued_while_nobody_kept_order_is_chained_and_the_old_removed(ground):
    await ground.decided(decision(at=AT - timedelta(days=400)), decision())
    async with keeping(ground):
        await until_rows(ground, "removal", 1)
    rows = await ground.query("SELECT decisions FROM removal")
    assert [row.decisions for row in rows] == [1]
    names = await ground.query("SELECT tableoid::regclass::text AS name FROM decision")
    assert [row.name for row in names] == ["decision_month.y2026m11"]


async def test_another_takes_over_when_a_keeper_ends(ground):
    async with keeping(ground), keeping(ground) as second:
        await ground.decided(decision())
        await until_rows(ground, "chain_link", 1)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        await ground.decided(decision())
        await until_rows(ground, "chain_link", 2)


async def test_the_chain_goes_on_while_somebody_holds_the_table(ground):
    async with ground.engine.connect() as reader:
        await reader.exec_driver_sql("SELECT * FROM decision")  # locks until the transaction ends
        async with keeping(ground):
            await ground.decided(decision())
            await until_rows(ground, "chain_link", 1)
        rows = await ground.query("SELECT tableoid::regclass::text AS name FROM decision")
        assert [row.name for row in rows] == ["decision_month.rest"]
