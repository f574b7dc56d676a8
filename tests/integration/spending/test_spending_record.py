"""The record in PostgreSQL: it only grows, proves itself, and holds among processes."""

import asyncio
import random
from contextlib import suppress
from itertools import count

import pytest
from sqlalchemy.exc import DBAPIError

from checker.errors import Unavailable
from checker.spending.errors import CapExceeded
from checker.spending.postgres_store import PostgresSpendingStore
from checker.spending.verification import verify_spending
from tests.integration.spending.postgres_town import spending_engine
from tests.integration.spending.spending_grounds import CAP, Merchants, document

pytestmark = pytest.mark.anyio

DEBTOR = 1


@pytest.fixture(autouse=True)
async def listed(record):
    await record.list(DEBTOR)


@pytest.fixture
def merchants(record):
    return record.merchants()


async def verified(record):
    return await verify_spending(record.engine, record.sealer.vault)


async def tamper(record, statement):
    """Do to the record what its trigger refuses to anybody but a superuser who turns it off."""
    async with record.engine.begin() as connection:
        await connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        await connection.exec_driver_sql(statement)


async def a_day(merchants, clock):
    """Spend in every way there is."""
    captured, voided, lapsed, held = [
        await merchants.authorize(DEBTOR, 200, reference="STAY", hold_seconds=3_600)
        for _ in range(4)
    ]
    await merchants.increment(captured, 100)
    await merchants.capture(captured, 250)
    await merchants.refund(captured, 50)
    await merchants.void(voided)
    await merchants.increment(held, 10, hold_seconds=7_200)
    clock.move(seconds=3_600)
    await merchants.authorize(DEBTOR, 100)
    assert (await merchants.find(lapsed)).status == "expired"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE authorization_step SET amount_fen = 1",
        "DELETE FROM authorization_step",
        "TRUNCATE authorization_step",
    ],
)
async def test_nothing_that_was_put_down_is_changed_or_removed(record, merchants, statement):
    await merchants.authorize(DEBTOR, 100)
    with pytest.raises(DBAPIError, match="never changed or removed"):
        async with record.engine.begin() as connection:
            await connection.exec_driver_sql(statement)


async def test_every_balance_follows_from_the_steps(record, merchants):
    await a_day(merchants, record.clock)
    told = await verified(record)
    assert (told.authorizations, told.steps, told.fault_count) == (5, 11, 0)


async def test_an_empty_record_is_right(record):
    told = await verified(record)
    assert (told.authorizations, told.steps, told.fault_count) == (0, 0, 0)


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE authorization_step SET held_delta = -1 WHERE kind = 'captured'", "not what its"),
        ("UPDATE authorization_step SET captured_delta = 0 WHERE kind = 'refunded'", "not what"),
        ("UPDATE authorization_step SET amount_fen = 10000 WHERE kind = 'refunded'", "no legal"),
        ("DELETE FROM authorization_step WHERE kind = 'captured'", "no legal move"),
        ("UPDATE authorization_step SET number = 9 WHERE kind = 'voided'", "not what its move"),
        ("UPDATE authorization_step SET held_after_fen = 1 WHERE number = 1", "was reckoned with"),
        ("UPDATE authorization_step SET captured_after_fen = 9 WHERE number = 1", "was reckoned"),
        ("UPDATE authorization_step SET limit_fen = 1 WHERE number = 1", "of 1; the steps"),
        ("DELETE FROM authorization_step WHERE number = 1", "no first step"),
        ("UPDATE spending_total SET held_fen = held_fen + 1", "a sum on the counter CN"),
        ("UPDATE spending_total SET captured_fen = 0", "a sum on the counter CN"),
        ("DELETE FROM spending_total", "a sum on the counter CN"),
        ("UPDATE open_hold SET held_fen = 1", "its open hold is kept as 1 fen"),
        ("UPDATE open_hold SET expires_at = expires_at + interval '1s'", "its open hold is kept"),
        ("DELETE FROM open_hold", "its open hold is kept as None"),
        ("UPDATE authorization_step SET counts_until = counts_from WHERE number = 1", "reckoned"),
        ("UPDATE authorization_step SET counter = '44' WHERE kind = 'captured'", "reckoned"),
        ("UPDATE authorization_step SET token = '\\x00' WHERE kind = 'captured'", "was reckoned"),
    ],
)
async def test_a_step_that_was_tampered_with_is_found(record, merchants, statement, says):
    await a_day(merchants, record.clock)
    await tamper(record, statement)
    told = await verified(record)
    assert told.fault_count > 0
    assert any(says in fault for fault in told.faults), told.faults


async def test_no_number_and_no_reference_stands_in_the_record(record, merchants):
    await merchants.authorize(DEBTOR, 100, reference="STAY-OF-SOMEBODY")
    for table in ("authorization_step", "idempotency_key", "decision"):
        rows = await record.query(f"SELECT t::text FROM {table} AS t")
        assert rows
        assert not any("STAY-OF" in row[0] or "SOMEBODY" in row[0] for row in rows)
        assert not any(b"STAY-OF".hex() in row[0] for row in rows)


async def test_an_innocent_leaves_no_row(record, merchants):
    await merchants.authorize(2, 100)
    for table in ("authorization_step", "idempotency_key", "decision"):
        assert await record.query(f"SELECT * FROM {table}") == []


async def test_no_order_reads_a_whole_table_though_it_is_new(record, database_url):
    async with spending_engine(database_url) as engine:
        store = PostgresSpendingStore(engine, record.sealer, record.clock)
        merchants = Merchants(store, record.sealer, record.clock, keys=count())
        before = await _whole_reads(record, engine)
        for _ in range(2):
            held = await asyncio.gather(*(merchants.authorize(DEBTOR, 1) for _ in range(16)))
            await asyncio.gather(*(merchants.capture(each, 1) for each in held))
        assert await _whole_reads(record, engine) == before


async def _whole_reads(record, engine):
    """How often spending's tables were read whole so far, what `engine`'s sessions did included."""
    async with engine.begin() as connection:
        await connection.exec_driver_sql("SELECT pg_stat_force_next_flush()")
    rows = await record.query(
        "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname = ANY(:tables)",
        tables=["authorization_step", "spending_total", "open_hold", "idempotency_key"],
    )
    return sorted(map(tuple, rows))


async def test_many_processes_at_once_never_pass_the_cap(record, database_url):
    async with spending_engine(database_url) as other_engine:
        other = PostgresSpendingStore(other_engine, record.sealer, record.clock)
        others = Merchants(other, record.sealer, record.clock, keys=count(10_000))
        both = [record.merchants(), others]
        asked = [both[turn % 2].authorize(DEBTOR, 30) for turn in range(100)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
    held = [answer for answer in answers if not isinstance(answer, CapExceeded)]
    assert len(held) == CAP // 30
    assert (await verified(record)).fault_count == 0


@pytest.mark.parametrize("turn", range(3))
async def test_documents_bound_while_both_spend_count_together_from_then_on(
    record, merchants, seed, turn
):
    await record.list(7)
    rng = random.Random(seed + turn)

    async def spend(person, times):
        held = 0
        for _ in range(times):
            for _ in range(rng.randrange(4)):
                await asyncio.sleep(0)
            try:
                held += (await merchants.authorize(person, 17)).amount_fen
            except CapExceeded:
                continue
        return held

    spent, also, _ = await asyncio.gather(spend(DEBTOR, 60), spend(7, 60), record.bind(DEBTOR, 7))
    before = spent + also
    with pytest.raises(CapExceeded) as refusal:
        await merchants.authorize(7, CAP)
    assert refusal.value.spending.held_fen == before
    assert (await verified(record)).fault_count == 0


async def test_the_money_of_several_documents_counts_under_the_one_that_the_list_knows(
    record, merchants
):
    held = await merchants.authorize(8, 600, also=[DEBTOR])
    assert held.spending.held_fen == 600
    for person, also in ((DEBTOR, ()), (8, (DEBTOR,)), (9, (8, DEBTOR))):
        with pytest.raises(CapExceeded) as refusal:
            await merchants.authorize(person, CAP, also=also)
        assert refusal.value.spending.held_fen == 600
    await merchants.increment(held, 100)
    assert (await merchants.authorize(8, CAP)).status == "uncapped"
    await record.bind(DEBTOR, 8)
    await merchants.capture(held, 700)
    with pytest.raises(CapExceeded) as refusal:
        await merchants.authorize(8, CAP, also=[DEBTOR])
    assert refusal.value.spending.captured_fen == 700
    assert (await verified(record)).fault_count == 0


async def test_a_process_that_freezes_with_locks_loses_them(record, merchants, database_url):
    number = int.from_bytes(record.sealer.document_token(document(DEBTOR))[:8], "big", signed=True)
    async with spending_engine(database_url) as other_engine, other_engine.connect() as frozen:
        await frozen.exec_driver_sql(f"SELECT pg_advisory_xact_lock({number})")
        with pytest.raises(Unavailable):
            await merchants.authorize(DEBTOR, 100, key="a")
        held = None
        async with asyncio.timeout(20):
            while held is None:
                with suppress(Unavailable):
                    held = await merchants.authorize(DEBTOR, 100, key="a")
        assert held.status == "held"
        await frozen.invalidate()


async def test_an_order_whose_answer_was_lost_is_answered_when_it_is_said_again(record):
    lossy = _LosesAnswers(record.store)
    merchants = Merchants(lossy, record.sealer, record.clock, keys=count())
    with pytest.raises(Unavailable):
        await merchants.authorize(DEBTOR, CAP, key="a")
    assert (await merchants.authorize(DEBTOR, CAP, key="a")).status == "held"


class _LosesAnswers:
    """A store whose first answer never comes, as when a connection breaks after the commit."""

    def __init__(self, store):
        self._store = store
        self._lost = False

    async def transact(self, wanted, judge, *, waits):
        await self._store.transact(wanted, judge, waits=waits)
        if not self._lost:
            self._lost = True
            raise Unavailable("the connection broke")
