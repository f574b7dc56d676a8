"""How files of past sales are dealt with, and what is kept of them."""

import asyncio

import msgspec
import pytest

from checker.errors import InvalidRequest, NotFound, QuotaExceeded, Unavailable
from checker.reconciliation.job import Interruption, ReconciliationStatus
from checker.reconciliation.past_sale import SalesFormat, SalesReader
from checker.reconciliation.reconciliations import KEPT, RUNNING_MAX
from tests.integration.registry.correction_filings import SELLER
from tests.integration.registry.past_sales import (
    begin,
    caller,
    reconcile,
    sale,
    two_listed,
)
from tests.support.registry_grounds import (
    query,
    resident_id,
    until,
)

pytestmark = pytest.mark.anyio


def no_tokens(_document, _name):
    return ()


@pytest.fixture
async def listed(node):
    return await two_listed(node)


async def test_bad_lines_are_told_by_their_number_and_spoil_nothing(listed, clock):
    clock.move(hours=2)
    bad = {"subject": resident_id(1)}
    done, results = await reconcile(listed, sale(9, hours=1), bad, sale(1, hours=1))
    assert (done.lines, done.adverse, done.rejected) == (3, 1, 1)
    assert results[2].error["code"] == "invalid-request"
    assert resident_id(1) not in repr(results)


TABLES = (
    "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE relkind = 'r' AND nspname = 'public'"
)


async def dump_of(node):
    """Every row of every table."""
    return {
        table: sorted(repr(row) for row in await query(node, f'SELECT t::text FROM "{table}" t'))
        for (table,) in await query(node, TABLES)
    }


async def test_of_the_innocent_nothing_is_kept_but_their_number(listed, clock, redis_client):
    clock.move(hours=2)
    before = await dump_of(listed)
    sales = [
        sale(index, hours=1, reference=f"ORDER-{index}") | {"jurisdiction": "CN"}
        for index in range(10, 40)
    ]
    done, results = await reconcile(listed, *sales)
    assert results == {}
    after = await dump_of(listed)
    [row] = after.pop("reconciliation")
    before.pop("reconciliation")
    assert after == before
    for each in sales:
        assert each["subject"]["document"]["number"] not in row
        assert each["reference"] not in row
    assert (done.lines, done.adverse, done.rejected) == (30, 0, 0)
    held = b"".join(redis_client.scan_iter())
    assert not [each for each in sales if each["reference"].encode() in held]


async def test_a_file_that_was_cut_off_tells_how_many_lines_were_dealt_with(listed, clock):
    clock.move(hours=2)
    sales = [sale(1, hours=1)] * 501
    works = listed.reconciliations
    opened, *more = await begin(listed, sales, by=caller(), cut=True)
    with pytest.raises(InvalidRequest):
        await works.work(opened, *more)
    found = await works.find(SELLER, opened.id)
    assert (found.status, found.reason) == (ReconciliationStatus.INTERRUPTED, Interruption.CUT_OFF)
    assert (found.lines, found.adverse) == (500, 500)


async def test_lines_are_items_of_the_quota_and_what_came_before_its_end_stands(listed, clock):
    clock.move(hours=2)
    works = listed.reconciliations
    by = caller(quota=10)
    line = msgspec.json.encode(sale(1, hours=1))

    async def batches():
        yield [(1, line)]
        # More than a whole minute has, so that no minute's end lets it through.
        yield [(number, line) for number in range(2, 13)]

    opened = await works.open(by)
    reader = SalesReader(SalesFormat.NDJSON, by, clock.now(), listed.sealer.document_token)
    with pytest.raises(QuotaExceeded):
        await works.work(opened, by, reader, batches())
    found = await works.find(SELLER, opened.id)
    assert (found.reason, found.lines, found.adverse) == (Interruption.QUOTA_EXCEEDED, 1, 1)


async def test_who_does_not_wait_finds_the_results_later(listed, clock):
    clock.move(hours=2)
    works = listed.reconciliations
    opened, *more = await begin(listed, [sale(1, hours=1)] * 1200, by=caller())
    await works.take_in(opened, *more)

    async def is_done():
        return (await works.find(SELLER, opened.id)).status is ReconciliationStatus.DONE

    await until(is_done)
    found = await works.find(SELLER, opened.id)
    assert (found.lines, found.adverse) == (1200, 1200)


async def test_who_does_not_wait_is_told_what_ends_the_work_while_lines_come_in(listed, clock):
    clock.move(hours=2)
    works = listed.reconciliations
    never = asyncio.Event()

    async def lines():
        yield [(1, b"{}")] * 2
        await never.wait()

    by = caller(quota=1)
    opened = await works.open(by)
    reader = SalesReader(SalesFormat.NDJSON, by, clock.now(), no_tokens)
    with pytest.raises(QuotaExceeded):
        await works.take_in(opened, by, reader, lines())
    cut, *more = await begin(listed, [sale(1, hours=1)], by=caller(), cut=True)
    with pytest.raises(InvalidRequest):
        await works.take_in(cut, *more)

    async def is_interrupted():
        return (await works.find(SELLER, cut.id)).reason is Interruption.CUT_OFF

    await until(is_interrupted)


async def test_few_run_at_once_and_those_are_said_to_run_while_they_do(listed, clock):
    works = listed.reconciliations
    opened = [await works.open(caller()) for _ in range(RUNNING_MAX)]
    with pytest.raises(Unavailable):
        await works.open(caller())
    clock.move(seconds=50)
    await works.keep()
    clock.move(seconds=50)
    assert (await works.find(SELLER, opened[0].id)).status is ReconciliationStatus.RUNNING
    clock.move(seconds=50)
    dead = await works.find(SELLER, opened[0].id)
    assert (dead.status, dead.reason) == (ReconciliationStatus.INTERRUPTED, Interruption.STOPPED)


async def test_another_accounts_is_not_found(listed):
    done, _ = await reconcile(listed)
    works = listed.reconciliations
    assert [each.id for each in await works.page(SELLER, 0, 10)] == [done.id]
    assert await works.page("another", 0, 10) == ()
    for account_id, its_id in (("another", done.id), (SELLER, "x")):
        with pytest.raises(NotFound):
            await works.find(account_id, its_id)


async def test_results_are_forgotten_after_their_time(listed, clock):
    clock.move(hours=2)
    done, _ = await reconcile(listed, sale(1, hours=1))
    clock.move(days=1)
    later, _ = await reconcile(listed, sale(1, hours=1))
    clock.instant = done.created_at + KEPT
    await listed.reconciliations.keep()
    assert await listed.reconciliations.find(SELLER, done.id)
    clock.move(seconds=1)
    await listed.reconciliations.keep()
    assert await listed.reconciliations.page(SELLER, 0, 10) == (later.at(clock.now()),)
    [kept] = await query(listed, "SELECT count(*) FROM reconciliation_result")
    assert kept == (1,)
