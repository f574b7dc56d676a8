"""The benchmark writes the same past as the service would have kept."""

import asyncpg
import pytest

from checker.spending.verification import verify_spending
from loadtest.past_spending import write_past
from tests.integration.spending.spending_grounds import CAP, left

pytestmark = pytest.mark.anyio

STEPS = 2_000
LIMIT_FEN = 200_000
PEOPLE = range(1, 8)


@pytest.fixture(autouse=True)
async def written(record, database_url):
    """A past of some people, a few hundred steps each; gives how many steps there are.

    The past ends with the present of PostgreSQL, so the service's clock must not be behind it.
    """
    record.clock.instant = (await record.query("SELECT now()"))[0][0]
    for person in PEOPLE:
        await record.list(person)
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    try:
        await connection.execute("SET session_replication_role = replica")
        yield await write_past(connection, STEPS, LIMIT_FEN)
    finally:
        await connection.close()


async def test_every_balance_of_the_past_follows_from_its_steps(record, written):
    told = await verify_spending(record.engine, record.sealer.vault)
    assert told.faults == ()
    assert told.steps == written
    assert abs(written - STEPS) <= 21


async def test_the_past_has_every_move_and_names_only_what_there_is(record):
    kinds = await record.query("SELECT DISTINCT kind FROM authorization_step ORDER BY kind")
    assert [row.kind for row in kinds] == ["captured", "expired", "held", "refunded", "voided"]
    people = await record.query("SELECT count(DISTINCT token) FROM authorization_step")
    assert people[0][0] == len(PEOPLE)
    astray = await record.query(
        "SELECT * FROM authorization_step AS step WHERE number = 1 AND NOT EXISTS ("
        " SELECT FROM decision JOIN account ON account.id = decision.account_id"
        " WHERE decision.id = step.decision_id AND account.id = step.account_id)"
    )
    assert astray == []


async def test_a_decision_of_the_past_is_kept_as_the_service_keeps_one(record):
    await record.merchants().authorize(1, 100)
    kept = await record.query(
        "SELECT service, jurisdiction, outcome, reasons, permit_id, list_version,"
        " count(*) AS times FROM decision"
        " WHERE reasons #>> '{0,listing,id}' = 'listing-1' GROUP BY 1, 2, 3, 4, 5, 6"
    )
    assert len(kept) == 1
    assert kept[0].times > 1


async def test_whoever_has_a_past_spends_on_under_the_cap_of_today(record):
    merchants = record.merchants()
    held = await merchants.authorize(1, 300)
    await merchants.capture(held, 250)
    assert await left(merchants) == CAP - 250
    assert (await verify_spending(record.engine, record.sealer.vault)).faults == ()
