"""Two passports of one number and of two states share no cap, over the record and over its twin."""

import pytest
from alembic import command

from cache.token_key import FIRST_KEY
from checker.database.upgrade import alembic_config
from checker.spending.errors import CapExceeded
from checker.spending.verification import verify_spending
from tests.integration.spending.postgres_town import postgres_town
from tests.integration.spending.spending_grounds import CAP, DEBTOR, FOREIGN, NAME, room
from tests.support.token_keys import held_keys

pytestmark = pytest.mark.anyio

FRENCH, AMERICAN = ({"kind": "passport", "issuer": issuer} for issuer in ("FRA", "USA"))
NO_STATE = {"kind": "passport", "name": NAME}
"""A check that gives no issuer: the name has to decide."""


async def list_both(town, person=FOREIGN):
    for issuer in ("FRA", "USA"):
        await town.list((person, "passport", issuer))


async def held(merchants, person, **passport):
    return (await room(merchants, person=person, **passport)).held_fen


async def test_passports_of_one_number_and_two_states_have_a_cap_each(town, merchants):
    await list_both(town)
    await merchants.authorize(FOREIGN, 700, **FRENCH)
    await merchants.authorize(FOREIGN, 600, **AMERICAN)
    assert await held(merchants, FOREIGN, **FRENCH) == 700
    assert await held(merchants, FOREIGN, **AMERICAN) == 600


async def test_a_chinese_number_of_another_state_has_a_cap_of_its_own(town, merchants):
    await list_both(town, person=7)
    await town.list((7, "passport"))
    await merchants.authorize(7, 700, **FRENCH)
    await merchants.authorize(7, 600, kind="passport")
    assert await held(merchants, 7, **FRENCH) == 700
    assert await held(merchants, 7, kind="passport", issuer="CHN") == 600


async def test_an_increment_and_a_lapsed_hold_count_for_their_own_passport(town, merchants):
    await list_both(town)
    mine = await merchants.authorize(FOREIGN, 100, **FRENCH)
    await merchants.authorize(FOREIGN, 500, hold_seconds=60, **AMERICAN)
    assert (await merchants.increment(mine, 850)).spending.held_fen == 950
    with pytest.raises(CapExceeded):
        await merchants.increment(mine, 51)
    town.clock.move(seconds=60)
    assert await held(merchants, FOREIGN, **AMERICAN) == 0
    assert await held(merchants, FOREIGN, **FRENCH) == 950


async def test_documents_bound_to_one_passport_do_not_spend_for_the_other(town, merchants):
    await list_both(town)
    await town.bind(DEBTOR, (FOREIGN, "passport", "FRA"))
    await merchants.authorize(FOREIGN, 700, **AMERICAN)
    await merchants.authorize(DEBTOR, 300)
    await merchants.authorize(FOREIGN, 200, **FRENCH)
    assert await held(merchants, DEBTOR) == 500
    assert await held(merchants, FOREIGN, **AMERICAN) == 700


async def test_a_binding_of_a_chinese_number_knows_its_state(town, merchants):
    await town.bind(DEBTOR, (7, "passport"))
    await town.list(DEBTOR)
    await town.list((7, "passport", "USA"))
    await merchants.authorize(7, 700, **AMERICAN)
    await merchants.authorize(DEBTOR, 300)
    assert await held(merchants, 7, kind="passport") == 300
    assert await held(merchants, 7, **AMERICAN) == 700


async def test_a_passport_without_a_state_counts_with_the_one_that_the_list_knows(town, merchants):
    await town.list((FOREIGN, "passport", "FRA"))
    await merchants.authorize(FOREIGN, 300, **FRENCH)
    await merchants.authorize(FOREIGN, 400, **NO_STATE)
    assert await held(merchants, FOREIGN, **FRENCH) == 700
    assert await held(merchants, FOREIGN, **NO_STATE) == 700


async def test_a_state_that_is_left_out_gives_no_second_cap(town, merchants):
    await town.list((FOREIGN, "passport"))
    await merchants.authorize(FOREIGN, 600, name=NAME, **FRENCH)
    with pytest.raises(CapExceeded):
        await merchants.authorize(FOREIGN, 600, **NO_STATE)
    await merchants.authorize(FOREIGN, 300, **NO_STATE)
    assert await held(merchants, FOREIGN, name=NAME, **FRENCH) == 900


async def test_an_increment_is_not_judged_by_the_listing_of_the_other_state(town, merchants):
    await list_both(town)
    mine = await merchants.authorize(FOREIGN, 100, **FRENCH)
    await town.delist((FOREIGN, "passport", "FRA"))
    assert (await merchants.increment(mine, CAP)).status == "uncapped"


async def test_sums_of_issuers_follow_from_the_steps(record):
    merchants = record.merchants()
    await list_both(record)
    await record.list((FOREIGN + 1, "passport"))
    for passport in (FRENCH, AMERICAN):
        await merchants.authorize(FOREIGN, 300, **passport)
        await merchants.authorize(FOREIGN + 1, 300, name=NAME, **passport)
        stay = await merchants.authorize(FOREIGN, 300, **passport)
        await merchants.capture(stay, 200)
    told = await verify_spending(record.engine, record.sealer.vault)
    assert (told.authorizations, told.fault_count) == (6, 0)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE authorization_step SET issuer = 'USA'",
        "UPDATE authorization_step SET counted_issuers = 'USA'",
        "UPDATE spending_total SET issuer = 'USA'",
    ],
)
async def test_an_issuer_that_was_changed_is_found(record, statement):
    await list_both(record)
    await record.merchants().authorize(FOREIGN, 300, **FRENCH)
    async with record.engine.begin() as connection:
        await connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        await connection.exec_driver_sql(statement)
    assert (await verify_spending(record.engine, record.sealer.vault)).fault_count > 0


@pytest.fixture
async def older_record(anyio_backend, database_url):
    """The town while it has one token key: an earlier version knows no further keys."""
    async with postgres_town(database_url, keys=held_keys(FIRST_KEY)) as town:
        yield town


async def test_amounts_from_before_the_upgrade_count_for_every_state(older_record):
    record, merchants = older_record, older_record.merchants()
    await list_both(record)
    stay = await merchants.authorize(FOREIGN, 300, **FRENCH)
    async with record.engine.begin() as connection:
        await connection.run_sync(_there_and_back)
    assert await held(merchants, FOREIGN, **FRENCH) == 300
    assert await held(merchants, FOREIGN, **AMERICAN) == 300
    await merchants.capture(stay, 100)
    await merchants.authorize(FOREIGN, 50, **FRENCH)
    spent = [await room(merchants, person=FOREIGN, **each) for each in (FRENCH, AMERICAN)]
    assert [(each.held_fen, each.captured_fen) for each in spent] == [(50, 100), (0, 100)]
    assert (await verify_spending(record.engine, record.sealer.vault)).fault_count == 0


def _there_and_back(connection):
    command.downgrade(alembic_config(connection), "0023")
    command.upgrade(alembic_config(connection), "head")
