"""Listings of an older version are found by the spellings of today, without a new list."""

import asyncio

import pytest
from sqlalchemy import text

from checker.node.record import NotedHeads, verify_record
from checker.registry.key_renewal import KeyRenewal
from tests.support.registry_grounds import (
    check_of,
    company_listing,
    document,
    masked_listing,
    outcomes,
    person_listing,
    publish,
    query,
    resident_id,
    settled,
    uscc,
)

pytestmark = pytest.mark.anyio

NAMES = ["阿卜杜拉·买买提", "陳示例", "王\ue863", "陈示例", "赵示例（曾用名钱示例）"]
ASKED = ["阿卜杜拉买买提", "陈示例", "王䶮", "陈示例", "钱示例"]
DERIVED = "SELECT listing_pk, token, shape FROM document WHERE derived ORDER BY token"


def masked_company(index, officer):
    """A company with a masked uscc and an officer with a masked number."""
    listing, number = company_listing(index, ("principal", officer)), uscc(index)
    shown = [document(number[:14] + "****", "uscc")]
    [row] = listing["officers"]
    hidden = resident_id(officer)[:6] + "********" + resident_id(officer)[14:]
    officers = [row | {"name": "孫示例", "documents": [document(hidden)]}]
    return listing | {"party": listing["party"] | {"documents": shown}, "officers": officers}


CHECKS = [
    *(check_of(resident_id(index), name) for index, name in enumerate(ASKED)),
    check_of(uscc(11), "示例11有限公司", "uscc"),
    check_of(uscc(11)[8:17], "示例11有限公司", "org_code"),
    check_of(resident_id(12), "孙示例"),
]


@pytest.fixture
async def older(node):
    """A node whose list was written before names had several keys; and the rows of today."""
    listings = [masked_listing(index, name) for index, name in enumerate(NAMES)]
    await publish(node, [*listings, masked_company(11, 12), person_listing(13)])
    rows = await query(node, DERIVED)
    async with node.work_engine.begin() as connection:
        await connection.execute(text("DELETE FROM document WHERE derived"))
        await connection.execute(text("DELETE FROM key_renewal"))
    await settled(node)
    found = [each == "review" for each in await outcomes(node, CHECKS)]
    assert [place for place, is_found in enumerate(found) if is_found] == [3, 5]
    return node, rows


async def renewed(node, *, window=2):
    """Renew window by window; return the rows that each window added."""
    renewal = KeyRenewal(node.work_engine, node.sealer, window_listings=window)
    added = []
    while (rows := await renewal.step()) is not None:
        added.append(rows)
    return added


async def test_older_listings_are_found_by_the_spellings_of_today(older):
    node, rows = older
    [before] = await query(node, "SELECT max(version) AS version, max(at) AS at FROM change")
    added = await renewed(node)
    assert sum(added) == len(rows)
    assert await query(node, DERIVED) == rows
    await settled(node)
    assert await outcomes(node, CHECKS) == ["review"] * len(CHECKS)
    [after] = await query(node, "SELECT max(version) AS version, max(at) AS at FROM change")
    assert after.at == before.at, "a list that is stale stays stale"
    assert after.version == before.version + sum(1 for each in added if each)
    verified = await verify_record(node.work_engine, node.sealer, NotedHeads())
    assert verified.fault_count == 0, verified


async def test_processes_that_renew_at_once_add_each_row_once_and_then_rest(older):
    node, rows = older
    await asyncio.gather(*(renewed(node, window=1) for _ in range(4)))
    while await renewed(node, window=1):
        pass
    assert await query(node, DERIVED) == rows
    assert await renewed(node) == []


async def test_a_window_that_fails_is_done_again_as_a_whole(older):
    node, rows = older
    async with node.work_engine.begin() as connection:
        await connection.execute(
            text(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE EXCEPTION 'full'; END $$;"
            )
        )
        await connection.execute(
            text(
                "CREATE TRIGGER refuse BEFORE UPDATE ON key_renewal"
                " FOR EACH ROW EXECUTE FUNCTION refuse()"
            )
        )
    with pytest.raises(Exception, match="full"):
        await renewed(node)
    assert await query(node, DERIVED) == []
    async with node.work_engine.begin() as connection:
        await connection.execute(text("DROP TRIGGER refuse ON key_renewal"))
    await renewed(node)
    assert await query(node, DERIVED) == rows


async def test_a_list_of_today_has_nothing_to_renew(older):
    node, _ = older
    async with node.work_engine.begin() as connection:
        await connection.execute(text("TRUNCATE listing, officer_link, document"))
    assert await renewed(node) == []
    await publish(node, [masked_listing(1, NAMES[0])])
    assert await renewed(node) == []
