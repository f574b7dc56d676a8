"""A crowd of clerks at two processes' tills while a month ends, and while documents are bound.

The same crowd goes to a running server in `tests/faults`; here the clock can be moved.
"""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from itertools import groupby
from random import Random

import msgspec
import pytest

from checker.domain.clock import CapPeriod
from checker.domain.jurisdiction import NATION
from checker.domain.service import Resort
from checker.domain.service_terms import ResortVenue
from checker.domain.settings import Settings
from checker.errors import Conflict, Unavailable
from checker.policy.loader import builtin_policies, load_policies
from checker.spending.answers import Uncapped
from checker.spending.errors import CapExceeded
from checker.spending.postgres_store import PostgresSpendingStore
from checker.spending.spending import Authorizations
from checker.spending.verification import verify_spending
from tests.integration.spending.postgres_town import spending_engine
from tests.integration.spending.spending_grounds import (
    MERCHANT,
    OTHER_MERCHANT,
    check_of,
    document,
    sealer,
)
from tests.support.spending_crowd import AnswerLost, Crowd, Told

pytestmark = pytest.mark.anyio

MONTH_ENDS = datetime(2026, 11, 30, 16, tzinfo=UTC)
SETTINGS = {NATION: Settings(resort_cap_fen=100_000, resort_cap_period=CapPeriod.MONTH)}
PEOPLE = (1, 2, 3, 4)
ACCOUNTS = (MERCHANT, OTHER_MERCHANT)
ORDERS = 3_000
TILLS = 16
TICK = timedelta(milliseconds=20)
LOST_SHARE = 0.02


class LocalTill:
    """A till of one process; now and then its answer is lost after all was done."""

    def __init__(self, spending, clock, seed):
        self._spending = spending
        self._clock = clock
        self._rng = Random(seed)

    async def send(self, said):
        self._clock.instant += TICK
        try:
            told = _told(201 if said.move == "authorize" else 200, await self._carry_out(said))
        except Unavailable as error:
            raise AnswerLost from error
        except CapExceeded as error:
            spending = msgspec.to_builtins(error.spending)
            told = Told(409, {"code": "cap-exceeded", "spending": spending})
        except Conflict as error:
            resolution = msgspec.to_builtins(error.resolution)
            told = Told(409, {"code": "conflict", "resolution": resolution})
        if self._rng.random() < LOST_SHARE:
            raise AnswerLost
        return told

    async def _carry_out(self, said):
        account_id = ACCOUNTS[said.merchant]
        if said.move == "authorize":
            more = {} if said.hold_seconds is None else {"hold_seconds": said.hold_seconds}
            service = Resort(venue=ResortVenue.RATED_RESORT, amount_fen=said.amount_fen)
            check = check_of(sealer(), document(said.person), service, jurisdiction=NATION)
            return await self._spending.authorize(account_id, said.key, check, **more)
        amounts = [] if said.amount_fen is None else [said.amount_fen]
        move = getattr(self._spending, said.move)
        return await move(account_id, said.key, said.authorization_id, *amounts)


def _told(status, answer):
    assert not isinstance(answer, Uncapped)
    return Told(status, msgspec.to_builtins(answer))


@pytest.mark.parametrize("turn", range(2))
async def test_the_cap_holds_while_a_month_ends_and_documents_are_bound(
    record, database_url, seed, turn
):
    record.clock.instant = MONTH_ENDS - TICK * (ORDERS // 2)
    for person in PEOPLE:
        await record.list(person)
    crowd = Crowd(people=PEOPLE, merchants=len(ACCOUNTS), orders=ORDERS, seed=seed + turn)
    policies = load_policies(builtin_policies(), SETTINGS)
    async with AsyncExitStack() as stack:
        processes = []
        for _ in range(2):
            engine = await stack.enter_async_context(spending_engine(database_url))
            store = PostgresSpendingStore(engine, record.sealer, record.clock)
            processes.append(
                Authorizations(store, sealer=record.sealer, policies=policies, clock=record.clock)
            )
        tills = [
            LocalTill(processes[place % 2], record.clock, (seed + turn) * TILLS + place)
            for place in range(TILLS)
        ]
        await asyncio.gather(crowd.work(tills), _bind_in_the_middle(record, crowd))
        for process in processes:
            await process.aclose()
    await _verify(record, crowd)


async def _bind_in_the_middle(record, crowd):
    while True:
        await asyncio.sleep(0)
        if crowd.model.sent > ORDERS // 3:
            break
    await record.bind(1, 2)


async def _verify(record, crowd):
    rows = await record.query(
        "SELECT authorization_id::text AS id, kind, amount_fen, counted_at FROM authorization_step"
        " ORDER BY authorization_id, number"
    )
    kept = {
        authorization_id: [(row.kind, row.amount_fen) for row in group]
        for authorization_id, group in groupby(rows, key=lambda row: row.id)
    }
    assert kept.keys() == crowd.model.steps.keys()
    assert [each for each, steps in kept.items() if not crowd.model.agrees(each, steps)] == []
    before = sum(row.counted_at < MONTH_ENDS for row in rows)
    assert len(rows) / 10 < before < len(rows) * 9 / 10
    assert crowd.model.lost > 0
    assert crowd.model.refused > 0
    assert (await verify_spending(record.engine, record.sealer.vault)).faults == ()
