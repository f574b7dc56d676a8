"""A person's lock that is not released in time fails the orders about that person alone."""

import asyncio
from contextlib import asynccontextmanager
from itertools import count

import pytest

from checker.errors import Unavailable
from checker.spending.postgres_store import PostgresSpendingStore
from tests.integration.spending.postgres_town import spending_engine
from tests.integration.spending.spending_grounds import Merchants, document
from tests.support.postgres_trips import counted_line

pytestmark = pytest.mark.anyio

DEBTOR, *OTHERS = range(1, 9)
TRIPS_OF_A_GROUP = 8
"""Begin, persons, locks, what changes behind them, standings, sums, one writing, commit."""


@pytest.fixture(autouse=True)
async def listed(record):
    for person in (DEBTOR, *OTHERS):
        await record.list(person)


@pytest.fixture
def merchants(record):
    return record.merchants()


@asynccontextmanager
async def locked(record, person):
    """Hold a person's lock in a session that does not end by itself."""
    token = record.sealer.document_token(document(person))
    number = int.from_bytes(token[:8], "big", signed=True)
    async with record.engine.connect() as holder:
        await holder.exec_driver_sql(f"SELECT pg_advisory_xact_lock({number})")
        yield holder
        await holder.rollback()


async def waits(record):
    """Return once a session waits for an advisory lock."""
    statement = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    async with asyncio.timeout(10):
        while not await record.query(statement):
            pass


async def test_orders_of_one_group_succeed_while_another_session_holds_one_persons_lock(
    record, merchants
):
    async with locked(record, DEBTOR):
        answers = await asyncio.gather(
            *(merchants.authorize(person, 10, key=f"{person}") for person in (DEBTOR, *OTHERS)),
            return_exceptions=True,
        )
        refused, *held = answers
        assert isinstance(refused, Unavailable)
        assert [answer.status for answer in held] == ["held"] * len(OTHERS)
        moved = await asyncio.gather(*(merchants.capture(each, 10) for each in held))
        assert {answer.status for answer in moved} == {"captured"}
    assert (await merchants.authorize(DEBTOR, 10, key=f"{DEBTOR}")).status == "held"


async def test_an_order_waits_for_its_persons_lock_while_later_orders_pass(record, merchants):
    async with locked(record, DEBTOR) as holder:
        waiting = asyncio.create_task(merchants.authorize(DEBTOR, 10))
        await waits(record)
        assert (await merchants.authorize(OTHERS[0], 10)).status == "held"
        assert not waiting.done()
        await holder.rollback()
        assert (await waiting).status == "held"


async def test_orders_of_the_line_succeed_beside_one_whose_lock_is_not_released(record, merchants):
    async with locked(record, DEBTOR), locked(record, OTHERS[0]) as holder:
        first = asyncio.create_task(merchants.authorize(DEBTOR, 10))
        await waits(record)
        second = [
            asyncio.create_task(merchants.authorize(person, 10)) for person in (DEBTOR, OTHERS[0])
        ]
        with pytest.raises(Unavailable):
            await first
        await waits(record)
        await holder.rollback()
        refused, held = await asyncio.gather(*second, return_exceptions=True)
        assert isinstance(refused, Unavailable)
        assert held.status == "held"


async def test_counted_permits_of_one_group_are_used_each_by_its_own_order(record, merchants):
    for person in OTHERS[:2]:
        await record.permit(person, id=f"permit-{person}", uses=1)
    answers = await asyncio.gather(
        *(merchants.authorize(person, 10) for person in (*OTHERS[:2], OTHERS[0], DEBTOR))
    )
    assert [answer.status for answer in answers] == ["uncapped", "uncapped", "held", "held"]
    assert await record.query("SELECT count(*) FROM permit_use") == [(2,)]


async def test_a_group_takes_few_round_trips(record, database_url):
    async with (
        counted_line(database_url) as line,
        spending_engine(line.url) as engine,
    ):
        store = PostgresSpendingStore(engine, record.sealer, record.clock)
        merchants = Merchants(store, record.sealer, record.clock, keys=count())
        await merchants.authorize(DEBTOR, 10)
        line.trips = 0
        await asyncio.gather(*(merchants.authorize(person, 10) for person in OTHERS))
        assert line.trips == TRIPS_OF_A_GROUP
